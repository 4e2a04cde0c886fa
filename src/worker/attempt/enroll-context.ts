import type { Directory } from "#domain/directory/directory.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { PeopleSources } from "#domain/senders/people.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { ContactProperties } from "./contact-properties.js";
import type { DoubtTools } from "./doubt.js";
import type { SenderSelection } from "#worker/senders/sender-selection.js";

/** What one attempt is made with: its own gateway, and what all attempts of the turn share. */
export interface EnrollContext {
  readonly owner: Ownership;
  readonly portalId: PortalId;
  readonly gateway: PortalGateway;
  readonly directory: Directory;
  /** Asks HubSpot with the attempt's gateway. */
  readonly people: PeopleSources;
  readonly contacts: ContactProperties;
  readonly senders: SenderSelection;
  readonly doubts: DoubtTools;
}
