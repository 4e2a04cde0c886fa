import type { Directory, DirectoryOwner } from "../directory/directory.js";
import type { PeopleSources } from "../policy/people.js";

export interface FindPeopleOptions {
  portalId: bigint;
  directory: Directory;
  /** An owner the directory does not know, from HubSpot. */
  readOwner: (ownerId: string) => Promise<DirectoryOwner | undefined>;
  /** The active owner who is a user the directory does not know, from HubSpot. */
  readOwnerOfUser: (userId: bigint) => Promise<DirectoryOwner | undefined>;
}

/**
 * Looks people up in our copy of the portal's directory and, where that does not know one (it may be older than the user,
 * or not made yet), at HubSpot.
 */
export function findPeople(options: FindPeopleOptions): PeopleSources {
  const { portalId, directory, readOwner, readOwnerOfUser } = options;
  return {
    async owner(ownerId) {
      const known = await directory.owner(portalId, ownerId);
      if (known !== undefined) return known;
      const read = await readOwner(ownerId);
      if (read !== undefined) await directory.saveOwners(portalId, [read], { isComplete: false });
      return read;
    },
    async userEmail(userId) {
      const known = await directory.activeUserEmail(portalId, userId);
      if (known !== undefined) return known;
      const owner = await readOwnerOfUser(userId);
      if (owner === undefined || owner.archived || owner.type !== "PERSON") return undefined;
      await directory.saveOwners(portalId, [owner], { isComplete: false });
      return owner.email;
    },
  };
}
