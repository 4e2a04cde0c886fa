import type { Directory, StoredOwner } from "#domain/directory/directory.js";
import type { Owner } from "#platform/hubspot/gateway.js";
import type { PeopleSources } from "#domain/senders/people.js";
import type { AbsentMembers } from "#domain/directory/absent-members.js";

export interface FindPeopleOptions {
  portalId: bigint;
  directory: Pick<Directory, "owner" | "activeUserEmails">;
  /** The active owner of this id, from HubSpot. Asked for once a turn and person: see EnrollContext. */
  readOwner: (ownerId: string) => Promise<Owner | undefined>;
  /** The active owner who is this user, from HubSpot. */
  readOwnerOfUser: (userId: bigint) => Promise<Owner | undefined>;
  /** Corrects our copy by HubSpot's word; by default it is left as it is. */
  saveOwner?: (owner: Owner) => Promise<void>;
  /** Who is not asked for again while another member of the rotation can send; by default everybody is asked for. */
  absent?: AbsentMembers | undefined;
  /** Resolves once a renewal of an old copy is over, or has taken too long. Undefined: the copy is not that old. */
  renewed?: Promise<void> | undefined;
}

/** Members of a rotation that our copy does not know are asked of HubSpot so many at a time. */
const READS_AT_ONCE = 16;

/** A queue is never a person; anybody else may have been let in again since our copy was made. */
function isFinal(owner: StoredOwner): boolean {
  const canSend = owner.isActive && !owner.archived && owner.userId !== null && owner.email !== null;
  return canSend || owner.type !== "PERSON";
}

/**
 * Looks people up in our copy of the portal's directory. Whoever could not send by it (not known, deactivated, without an
 * address) is asked of HubSpot before anybody is refused: the copy may be older than the change.
 *
 * @throws what the reads throw: without HubSpot's word nobody is refused.
 */
export function findPeople(options: FindPeopleOptions): PeopleSources {
  const { portalId, directory, readOwner, readOwnerOfUser, saveOwner, renewed, absent } = options;

  async function knownOwner(ownerId: string): Promise<StoredOwner | undefined> {
    const known = await directory.owner(portalId, ownerId);
    if (renewed === undefined || (known !== undefined && isFinal(known))) return known;
    await renewed;
    return directory.owner(portalId, ownerId);
  }

  /** Addresses by user; `missing` has none by our copy. */
  async function knownEmails(
    userIds: readonly bigint[],
  ): Promise<{ emails: Map<bigint, string>; missing: readonly bigint[] }> {
    const known = await directory.activeUserEmails(portalId, userIds);
    const emails = new Map<bigint, string>();
    for (const [userId, email] of known) if (email !== null) emails.set(userId, email);
    return { emails, missing: userIds.filter((userId) => !emails.has(userId)) };
  }

  async function renewedEmails(userIds: readonly bigint[]): ReturnType<typeof knownEmails> {
    const known = await knownEmails(userIds);
    if (renewed === undefined || known.missing.length === 0) return known;
    await renewed;
    return knownEmails(userIds);
  }

  async function readEmail(userId: bigint): Promise<string | null | undefined> {
    const owner = await readOwnerOfUser(userId);
    if (owner === undefined || owner.archived || owner.type !== "PERSON") {
      absent?.add(portalId, userId);
      return undefined;
    }
    await saveOwner?.(owner);
    return owner.email;
  }

  async function userEmails(userIds: readonly bigint[]): Promise<Map<bigint, string | null>> {
    const { emails: known, missing: unknown } = await renewedEmails(userIds);
    // Nobody is refused by what is remembered: where no other member could send, all are asked for.
    const missing = known.size === 0 ? unknown : unknown.filter((userId) => !absent?.has(portalId, userId));
    const emails = new Map<bigint, string | null>(known);
    for (let from = 0; from < missing.length; from += READS_AT_ONCE) {
      const slice = missing.slice(from, from + READS_AT_ONCE);
      for (const [index, email] of (await allEnded(slice.map(readEmail))).entries())
        if (email !== undefined) emails.set(slice[index] as bigint, email);
    }
    return emails;
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
    userEmails,
  };
}

/** Only once all have ended: each may be a request to HubSpot, and the attempt must not end before it. */
async function allEnded<T>(looks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(looks);
  return Promise.all(looks);
}
