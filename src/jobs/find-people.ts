import type { Directory, DirectoryOwner } from "../directory/directory.js";
import type { PeopleSources } from "../policy/people.js";

export interface FindPeopleOptions {
  portalId: bigint;
  directory: Pick<Directory, "owner" | "activeUserEmail">;
  /** The active owner of this id, from HubSpot. Asked for once a turn and person: see EnrollContext. */
  readOwner: (ownerId: string) => Promise<DirectoryOwner | undefined>;
  /** The active owner who is this user, from HubSpot. */
  readOwnerOfUser: (userId: bigint) => Promise<DirectoryOwner | undefined>;
  /** Corrects our copy by HubSpot's word; by default it is left as it is. */
  saveOwner?: (owner: DirectoryOwner) => Promise<void>;
  /** Resolves once a renewal of an old copy is over, or has taken too long. Undefined: the copy is not that old. */
  renewed?: Promise<void> | undefined;
}

/** A queue is never a person; anybody else may have been let in again since our copy was made. */
function isFinal(owner: DirectoryOwner): boolean {
  const canSend = !owner.archived && owner.userId !== null && owner.email !== null;
  return canSend || owner.type !== "PERSON";
}

/**
 * Looks people up in our copy of the portal's directory. Whoever could not send by it (not known, deactivated, without an
 * address) is asked of HubSpot before anybody is refused: the copy may be older than the change.
 *
 * @throws what the reads throw: without HubSpot's word nobody is refused.
 */
export function findPeople(options: FindPeopleOptions): PeopleSources {
  const { portalId, directory, readOwner, readOwnerOfUser, saveOwner, renewed } = options;

  async function knownOwner(ownerId: string): Promise<DirectoryOwner | undefined> {
    const known = await directory.owner(portalId, ownerId);
    if (renewed === undefined || (known !== undefined && isFinal(known))) return known;
    await renewed;
    return directory.owner(portalId, ownerId);
  }

  async function knownEmail(userId: bigint): Promise<string | null | undefined> {
    const known = await directory.activeUserEmail(portalId, userId);
    if (renewed === undefined || known != null) return known;
    await renewed;
    return directory.activeUserEmail(portalId, userId);
  }

  return {
    async owner(ownerId) {
      const known = await knownOwner(ownerId);
      if (known !== undefined && isFinal(known)) return known;
      const read = await readOwner(ownerId);
      // HubSpot finds active owners only: one that we know of and it does not is archived.
      const now = read ?? (known && { ...known, archived: true });
      if (now !== undefined && (read !== undefined || known?.archived === false)) await saveOwner?.(now);
      return now;
    },
    async userEmail(userId) {
      const known = await knownEmail(userId);
      if (known != null) return known;
      const owner = await readOwnerOfUser(userId);
      if (owner === undefined || owner.archived || owner.type !== "PERSON") return undefined;
      await saveOwner?.(owner);
      return owner.email;
    },
  };
}
