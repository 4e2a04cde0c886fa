import type { AbsentMembers } from "#domain/directory/absent-members.js";
import { createCopyStore } from "#domain/directory/copy-store.js";
import type { Directory } from "#domain/directory/directory.js";
import { findPeople } from "#domain/dry-run/find-people.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { PeopleSources } from "#domain/senders/people.js";
import type { Owner, PortalGateway } from "#platform/hubspot/gateway.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { readOnce } from "#worker/renewal/read-once.js";

export interface TurnPeopleOptions {
  readonly owner: Ownership;
  readonly directory: Directory;
  /** Kept by the process across turns; undefined: nothing is remembered. */
  readonly absent?: AbsentMembers | undefined;
  /** Resolves when an old copy has been renewed, or when that takes too long; undefined: our copy is not old. */
  readonly renewed?: Promise<void> | undefined;
}

/**
 * Where the attempts of one turn look people up. HubSpot's answer about a person corrects our copy, and a burst of contacts
 * of one unknown owner costs one request.
 */
export function createTurnPeople({
  owner,
  directory,
  absent,
  renewed,
}: TurnPeopleOptions): (gateway: Pick<PortalGateway, "readOwner" | "readOwnerOfUser">) => PeopleSources {
  const { portalId } = owner;
  const copy = createCopyStore(owner, directory);
  const ownerReads = readOnce<Owner | undefined>();
  return (gateway) =>
    findPeople({
      portalId,
      directory,
      renewed,
      absent,
      readOwner: (ownerId) => ownerReads(ownerId, () => gateway.readOwner(ownerId)),
      readOwnerOfUser: (userId) => ownerReads(`user ${userId}`, () => gateway.readOwnerOfUser(userId)),
      saveOwner: async (found) => {
        if (!(await copy.confirmOwner(found)))
          throw new LeaseLost(`the copy of portal ${portalId} belongs to another owner now`);
      },
    });
}
