import type { Directory, StoredOwner } from "#domain/directory/directory.js";
import type { Owner } from "#platform/hubspot/gateway.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import type { PeopleSources } from "#domain/senders/people.js";
import type { AbsentMembers } from "#domain/directory/absent-members.js";

export interface FindPeopleOptions {
  portalId: PortalId;
  directory: Pick<Directory, "owner" | "activeUserEmails">;
  /** The active owner of this id, from HubSpot. In a turn, read once for each person (worker/drain/turn-people.ts). */
  readOwner: (ownerId: string) => Promise<Owner | undefined>;
  /** The active owner who is this user, from HubSpot. */
  readOwnerOfUser: (userId: UserId) => Promise<Owner | undefined>;
  /** Corrects our copy with HubSpot's answer; by default it is left as it is. */
  saveOwner?: (owner: Owner) => Promise<void>;
  /** Users not to ask HubSpot about again while another member of the rotation can send; by default none. */
  absent?: AbsentMembers | undefined;
  /** Resolves once a renewal of an old copy is done, or took too long. Undefined: the copy is not that old. */
  renewed?: Promise<void> | undefined;
}

/** How many rotation members that our copy does not know are read from HubSpot at a time. */
const READS_AT_ONCE = 16;

/** A queue is never a person; any other owner may be active again since our copy was made. */
function isFinal(owner: StoredOwner): boolean {
  const canSend = owner.isActive && !owner.archived && owner.userId !== null && owner.email !== null;
  return canSend || owner.type !== "PERSON";
}

/**
 * Looks people up in our copy of the portal's directory. A person who could not send according to it (unknown,
 * deactivated, without an address) is read from HubSpot before being refused: the copy may be older than the change.
 *
 * @throws what the reads throw: nobody is refused without HubSpot's answer.
 */
export function findPeople(options: FindPeopleOptions): PeopleSources {
  const { portalId, directory, readOwner, readOwnerOfUser, saveOwner, renewed, absent } = options;

  async function knownOwner(ownerId: string): Promise<StoredOwner | undefined> {
    const known = await directory.owner(portalId, ownerId);
    if (renewed === undefined || (known !== undefined && isFinal(known))) return known;
    await renewed;
    return directory.owner(portalId, ownerId);
  }

  /** Addresses by user; `missing` has none in our copy. */
  async function knownEmails(
    userIds: readonly UserId[],
  ): Promise<{ emails: Map<UserId, string>; missing: readonly UserId[] }> {
    const known = await directory.activeUserEmails(portalId, userIds);
    const emails = new Map<UserId, string>();
    for (const [userId, email] of known) if (email !== null) emails.set(userId, email);
    return { emails, missing: userIds.filter((userId) => !emails.has(userId)) };
  }

  async function renewedEmails(userIds: readonly UserId[]): ReturnType<typeof knownEmails> {
    const known = await knownEmails(userIds);
    if (renewed === undefined || known.missing.length === 0) return known;
    await renewed;
    return knownEmails(userIds);
  }

  async function readEmail(userId: UserId): Promise<string | null | undefined> {
    const owner = await readOwnerOfUser(userId);
    if (owner === undefined || owner.archived || owner.type !== "PERSON") {
      absent?.add(portalId, userId);
      return undefined;
    }
    await saveOwner?.(owner);
    return owner.email;
  }

  async function userEmails(userIds: readonly UserId[]): Promise<Map<UserId, string | null>> {
    const { emails: known, missing: unknown } = await renewedEmails(userIds);
    // Nobody is refused from memory: if no other member could send, all are read.
    const missing = known.size === 0 ? unknown : unknown.filter((userId) => !absent?.has(portalId, userId));
    const emails = new Map<UserId, string | null>(known);
    for (let from = 0; from < missing.length; from += READS_AT_ONCE) {
      const slice = missing.slice(from, from + READS_AT_ONCE);
      for (const [index, email] of (await allEnded(slice.map(readEmail))).entries())
        if (email !== undefined) emails.set(slice[index] as UserId, email);
    }
    return emails;
  }

  return {
    async owner(ownerId) {
      const known = await knownOwner(ownerId);
      if (known !== undefined && isFinal(known)) return known;
      const read = await readOwner(ownerId);
      // HubSpot finds only active owners: one that we know and it does not find is archived.
      const now = read ?? (known && { ...known, archived: true });
      if (now !== undefined && (read !== undefined || known?.archived === false)) await saveOwner?.(now);
      return now;
    },
    userEmails,
  };
}

/** Resolves only once all have ended: each may be a request to HubSpot, and the attempt must not end before it. */
async function allEnded<T>(looks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(looks);
  return Promise.all(looks);
}
