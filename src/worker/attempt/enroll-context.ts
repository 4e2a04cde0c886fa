import type { CopyStore } from "#domain/directory/copy-store.js";
import type { Directory } from "#domain/directory/directory.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { Owner, PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { AbsentMembers } from "#domain/directory/absent-members.js";
import type { ContactProperties } from "./contact-properties.js";
import type { DoubtTools } from "./doubt.js";
import type { SenderSelection } from "./sender-selection.js";

export interface EnrollContext {
  readonly owner: Ownership;
  readonly portalId: PortalId;
  readonly gateway: PortalGateway;
  readonly directory: Directory;
  /** Owner reads of this turn: a burst of contacts of one unknown owner costs one request. */
  readonly ownerReads: (
    ownerId: string,
    read: () => Promise<Owner | undefined>,
  ) => Promise<Owner | undefined>;
  /** Kept by the process across turns; undefined: nothing is remembered. */
  readonly absent?: AbsentMembers | undefined;
  /** Our copy of the directory, to be corrected by HubSpot's answer about one person. */
  readonly copy: Pick<CopyStore, "confirmOwner">;
  /** Resolves when an old copy has been renewed, or when that takes too long; undefined: our copy is not old. */
  readonly renewed?: Promise<void> | undefined;
  readonly contacts: ContactProperties;
  readonly senders: SenderSelection;
  readonly doubts: DoubtTools;
}
