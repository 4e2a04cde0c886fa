import { LRUCache } from "lru-cache";
import type { Pool } from "pg";
import type { Owner } from "#platform/hubspot/gateway.js";
import { atMost } from "#platform/memory/at-most.js";
import { peopleOf } from "./people.js";

/** An owner by our copy. */
export interface StoredOwner extends Owner {
  /** Whether the person can send by all that our copy has of them: see people.ts. */
  readonly isActive: boolean;
}

/** How up to date a portal's directory is. */
export interface DirectoryState {
  readonly requestedAt: Date | null;
  readonly syncedAt: Date | null;
  /** The same for the user list alone. */
  readonly usersRequestedAt: Date | null;
  readonly usersReadAt: Date | null;
  /** The database's time: the instants above are by its clock. */
  readonly now: Date;
}

export interface DirectoryStateRow {
  directory_requested_at: Date | null;
  directory_synced_at: Date | null;
  users_requested_at: Date | null;
  users_read_at: Date | null;
  now: Date;
}

/** SQL: the columns of a DirectoryStateRow, of `portals p`. */
export const DIRECTORY_STATE = `p.directory_requested_at, p.directory_synced_at, p.users_requested_at, p.users_read_at, now() AS now`;

export function toDirectoryState(row: DirectoryStateRow): DirectoryState {
  return {
    requestedAt: row.directory_requested_at,
    syncedAt: row.directory_synced_at,
    usersRequestedAt: row.users_requested_at,
    usersReadAt: row.users_read_at,
    now: row.now,
  };
}

/**
 * Our copy of a portal's sequences, owners and users: dropdowns and the choice of senders read it without a call to
 * HubSpot. Written by the portal's owner (copy-store.ts, worker/renewal/sync-directory.ts); read by all.
 */
export interface Directory {
  state(portalId: bigint): Promise<DirectoryState | undefined>;
  /** Requests a new copy, unless one was requested or made within `minAgeMs`. True if it was requested now. */
  requestSync(portalId: bigint, options: { minAgeMs: number }): Promise<boolean>;
  sequenceName(portalId: bigint, sequenceId: string): Promise<string | undefined>;
  /** Whether one of our readers saw the sequence in HubSpot when our copy was made. */
  isSequenceListed(portalId: bigint, sequenceId: string): Promise<boolean>;
  owner(portalId: bigint, ownerId: string): Promise<StoredOwner | undefined>;
  /** Emails of active people; those without an entry are not active. */
  activeUserEmails(portalId: bigint, userIds: readonly bigint[]): Promise<ReadonlyMap<bigint, string | null>>;
  /** Call it after owners were written: drops what this process has cached of them. */
  forget(portalId: bigint, owners: readonly Pick<Owner, "id" | "userId">[]): void;
}

/** Cached entries may be this old: a renamed sequence or a new owner address shows within half a minute. */
const CACHE_MS = 30_000;
const CACHE_ENTRIES = 50_000;

export function createDirectory({ pool }: { pool: Pool }): Directory {
  const cache = new LRUCache<string, object>({ ...atMost(CACHE_ENTRIES), ttl: CACHE_MS });

  const reads = new Map<string, Promise<unknown>>();
  /** Grows with everything that is forgotten: what a read found that was begun before may be from before, too. */
  let forgotten = 0;

  /** One read serves all callers while it is running: a burst of contacts of one owner asks at the same moment. */
  function shared<T>(key: string, read: () => Promise<T>): Promise<T> {
    const underWay = reads.get(key);
    if (underWay !== undefined) return underWay as Promise<T>;
    const started = read().finally(() => {
      if (reads.get(key) === started) reads.delete(key);
    });
    reads.set(key, started);
    return started;
  }

  /** Caches only entries that exist: a missing one may appear any moment. */
  async function cached<T extends object>(
    key: string,
    load: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const known = cache.get(key);
    if (known !== undefined) return known as T;
    return shared(key, async () => {
      const before = forgotten;
      const loaded = await load();
      if (loaded !== undefined && before === forgotten) cache.set(key, loaded);
      return loaded;
    });
  }

  function forget(key: string): void {
    forgotten += 1;
    cache.delete(key);
    reads.delete(key);
  }

  async function one<T extends object>(
    name: string,
    text: string,
    values: unknown[],
  ): Promise<T | undefined> {
    return (await pool.query<T>({ name, text, values })).rows[0];
  }

  async function run(name: string, text: string, values: unknown[]): Promise<number> {
    return (await pool.query({ name, text, values })).rowCount ?? 0;
  }

  /** One statement, however many: a rotation has up to 200 members. */
  async function readActiveUsers(
    portalId: bigint,
    userIds: readonly bigint[],
  ): Promise<[userId: bigint, found: { email: string | null }][]> {
    const before = forgotten;
    const { rows } = await pool.query<{ user_id: string; email: string | null }>({
      name: "directory-active-users",
      text: `SELECT user_id, email FROM (${peopleOf("user_id = ANY ($2::bigint[])")}) AS person WHERE is_active`,
      values: [portalId, userIds],
    });
    return rows.map(({ user_id, email }) => {
      const found = { email };
      if (before === forgotten) cache.set(`user:${portalId}:${user_id}`, found);
      return [BigInt(user_id), found];
    });
  }

  return {
    async state(portalId) {
      const row = await one<DirectoryStateRow>(
        "directory-state",
        `SELECT ${DIRECTORY_STATE} FROM portals p WHERE portal_id = $1`,
        [portalId],
      );
      return row === undefined ? undefined : toDirectoryState(row);
    },

    async requestSync(portalId, { minAgeMs }) {
      const count = await run(
        "directory-request-sync",
        `UPDATE portals SET directory_requested_at = now()
          WHERE portal_id = $1 AND status = 'CONNECTED'
            AND greatest(directory_requested_at, directory_synced_at, '-infinity') <= now() - $2 * interval '1 millisecond'`,
        [portalId, minAgeMs],
      );
      return count > 0;
    },

    forget(portalId, owners) {
      for (const { id, userId } of owners) {
        forget(`owner:${portalId}:${id}`);
        if (userId !== null) forget(`user:${portalId}:${userId}`);
      }
    },

    async sequenceName(portalId, sequenceId) {
      const found = await cached(`sequence:${portalId}:${sequenceId}`, () =>
        one<{ name: string }>(
          "directory-sequence",
          `SELECT name FROM sequences WHERE portal_id = $1 AND sequence_id = $2`,
          [portalId, sequenceId],
        ),
      );
      return found?.name;
    },

    async isSequenceListed(portalId, sequenceId) {
      const found = await one<{ is_listed: boolean }>(
        "directory-sequence-listed",
        `SELECT is_listed FROM sequences WHERE portal_id = $1 AND sequence_id = $2`,
        [portalId, sequenceId],
      );
      return found?.is_listed === true;
    },

    owner: (portalId, ownerId) =>
      cached(`owner:${portalId}:${ownerId}`, async () => {
        const row = await one<Omit<StoredOwner, "userId"> & { userId: string | null }>(
          "directory-owner",
          `SELECT owner_id AS id, user_id AS "userId", email, first_name AS "firstName", last_name AS "lastName", type,
                  is_archived AS archived,
                  coalesce((SELECT is_active FROM (${peopleOf("user_id = asked.user_id")}) AS person), false) AS "isActive"
             FROM owners AS asked WHERE portal_id = $1 AND owner_id = $2`,
          [portalId, ownerId],
        );
        return row && { ...row, userId: row.userId === null ? null : BigInt(row.userId) };
      }),

    async activeUserEmails(portalId, userIds) {
      const emails = new Map<bigint, string | null>();
      const missing: bigint[] = [];
      for (const userId of userIds) {
        const known = cache.get(`user:${portalId}:${userId}`) as { email: string | null } | undefined;
        if (known === undefined) missing.push(userId);
        else emails.set(userId, known.email);
      }
      if (missing.length === 0) return emails;
      for (const [userId, found] of await shared(`users:${portalId}:${missing.join()}`, () =>
        readActiveUsers(portalId, missing),
      ))
        emails.set(userId, found.email);
      return emails;
    },
  };
}
