import { LRUCache } from "lru-cache";
import type { Pool } from "pg";

/** A sequence as HubSpot lists it. */
export interface DirectorySequence {
  readonly id: string;
  readonly name: string;
  readonly folderId?: string | null | undefined;
}

/** An owner: what `hubspot_owner_id` of a contact names. `userId` is null for queues and deactivated people. */
export interface DirectoryOwner {
  readonly id: string;
  readonly userId: bigint | null;
  readonly email: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly type: string;
  readonly archived: boolean;
}

export interface DirectoryUser {
  readonly id: bigint;
  readonly email: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly superAdmin: boolean;
  readonly seatNames: readonly string[];
}

/** How fresh a portal's directory is. */
export interface DirectoryState {
  readonly requestedAt: Date | null;
  readonly syncedAt: Date | null;
  readonly readerUserId: bigint | null;
  /** The database's clock: the one the instants above were taken from. */
  readonly now: Date;
}

/**
 * Our copy of a portal's sequences, owners and users: what dropdowns show and senders are found in without a call to
 * HubSpot. Kept by the portal's owner process (jobs/sync-directory.ts); read by all.
 */
export interface Directory {
  state(portalId: bigint): Promise<DirectoryState | undefined>;
  /** Asks for a fresh copy, unless one was asked for or made within `minAgeMs`. True when it was asked for now. */
  requestSync(portalId: bigint, options: { minAgeMs: number }): Promise<boolean>;
  /** After a sync that failed: asks for the next one, not before `delayMs` from now. */
  postponeSync(portalId: bigint, delayMs: number): Promise<void>;
  markSynced(portalId: bigint, startedAt: Date, problem: string | null): Promise<void>;
  saveAccount(portalId: bigint, account: { timeZone: string | null; uiDomain: string | null }): Promise<void>;
  /** With `isComplete`, whatever is not in the list stops being offered; its label stays known. */
  saveSequences(
    portalId: bigint,
    sequences: readonly DirectorySequence[],
    options: { isComplete: boolean },
  ): Promise<void>;
  /** With `isComplete`, an owner that is not in the list counts as deactivated. */
  saveOwners(
    portalId: bigint,
    owners: readonly DirectoryOwner[],
    options: { isComplete: boolean },
  ): Promise<void>;
  saveUsers(portalId: bigint, users: readonly DirectoryUser[]): Promise<void>;
  sequenceName(portalId: bigint, sequenceId: string): Promise<string | undefined>;
  owner(portalId: bigint, ownerId: string): Promise<DirectoryOwner | undefined>;
  /** E-mail of an active user, from the user list or, where that scope is not granted, from the owners. */
  activeUserEmail(portalId: bigint, userId: bigint): Promise<string | null | undefined>;
  defaultSenderUserId(portalId: bigint): Promise<bigint | null>;
}

/** Looked-up entries may be this old: a renamed sequence or a new owner address shows within half a minute. */
const CACHE_MS = 30_000;
const CACHE_ENTRIES = 50_000;

export function createDirectory({ pool }: { pool: Pool }): Directory {
  const cache = new LRUCache<string, object>({ max: CACHE_ENTRIES, ttl: CACHE_MS });

  /** Caches found entries only: what is missing may appear any moment. */
  async function cached<T extends object>(
    key: string,
    load: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const known = cache.get(key);
    if (known !== undefined) return known as T;
    const loaded = await load();
    if (loaded !== undefined) cache.set(key, loaded);
    return loaded;
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

  return {
    async state(portalId) {
      const row = await one<{
        directory_requested_at: Date | null;
        directory_synced_at: Date | null;
        reader: string | null;
        now: Date;
      }>(
        "directory-state",
        `SELECT directory_requested_at, directory_synced_at, authorized_by_user_id AS reader, now() AS now
           FROM portals WHERE portal_id = $1`,
        [portalId],
      );
      if (row === undefined) return undefined;
      return {
        requestedAt: row.directory_requested_at,
        syncedAt: row.directory_synced_at,
        readerUserId: row.reader === null ? null : BigInt(row.reader),
        now: row.now,
      };
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

    async postponeSync(portalId, delayMs) {
      await run(
        "directory-postpone-sync",
        `UPDATE portals SET directory_requested_at = now() + $2 * interval '1 millisecond' WHERE portal_id = $1`,
        [portalId, delayMs],
      );
    },

    async markSynced(portalId, startedAt, problem) {
      await run(
        "directory-mark-synced",
        `UPDATE portals SET directory_synced_at = $2, directory_error = $3 WHERE portal_id = $1`,
        [portalId, startedAt, problem],
      );
    },

    async saveAccount(portalId, { timeZone, uiDomain }) {
      await run(
        "directory-save-account",
        `UPDATE portals SET time_zone = $2, ui_domain = $3 WHERE portal_id = $1`,
        [portalId, timeZone, uiDomain],
      );
    },

    async saveSequences(portalId, sequences, { isComplete }) {
      const ids = sequences.map(({ id }) => id);
      await run(
        "directory-save-sequences",
        `INSERT INTO sequences (portal_id, sequence_id, name, folder_id, is_listed)
         SELECT $1, id, name, folder, true FROM unnest($2::text[], $3::text[], $4::text[]) AS row (id, name, folder)
         ON CONFLICT (portal_id, sequence_id) DO UPDATE
           SET name = excluded.name, folder_id = excluded.folder_id, is_listed = true`,
        [portalId, ids, sequences.map(({ name }) => name), sequences.map(({ folderId }) => folderId ?? null)],
      );
      if (!isComplete) return;
      await run(
        "directory-unlist-sequences",
        `UPDATE sequences SET is_listed = false WHERE portal_id = $1 AND is_listed AND sequence_id <> ALL ($2::text[])`,
        [portalId, ids],
      );
    },

    async saveOwners(portalId, owners, { isComplete }) {
      await run(
        "directory-save-owners",
        `INSERT INTO owners (portal_id, owner_id, user_id, email, first_name, last_name, type, is_archived)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
         ON CONFLICT (portal_id, owner_id) DO UPDATE
           SET user_id = excluded.user_id, email = excluded.email, first_name = excluded.first_name,
               last_name = excluded.last_name, type = excluded.type, is_archived = excluded.is_archived`,
        [
          portalId,
          owners.map(({ id }) => id),
          owners.map(({ userId }) => userId),
          owners.map(({ email }) => email),
          owners.map(({ firstName }) => firstName),
          owners.map(({ lastName }) => lastName),
          owners.map(({ type }) => type),
          owners.map(({ archived }) => archived),
        ],
      );
      for (const { id } of owners) cache.delete(`owner:${portalId}:${id}`);
      if (!isComplete) return;
      await run(
        "directory-unlist-owners",
        `UPDATE owners SET is_archived = true WHERE portal_id = $1 AND NOT is_archived AND owner_id <> ALL ($2::text[])`,
        [portalId, owners.map(({ id }) => id)],
      );
    },

    async saveUsers(portalId, users) {
      const ids = users.map(({ id }) => id);
      await run(
        "directory-save-users",
        `INSERT INTO users (portal_id, user_id, email, first_name, last_name, super_admin, seat_names, is_listed)
         SELECT $1, id, email, first_name, last_name, super_admin,
                ARRAY(SELECT jsonb_array_elements_text(seats)), true
           FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::jsonb[])
             AS row (id, email, first_name, last_name, super_admin, seats)
         ON CONFLICT (portal_id, user_id) DO UPDATE
           SET email = excluded.email, first_name = excluded.first_name, last_name = excluded.last_name,
               super_admin = excluded.super_admin, seat_names = excluded.seat_names, is_listed = true`,
        [
          portalId,
          ids,
          users.map(({ email }) => email),
          users.map(({ firstName }) => firstName),
          users.map(({ lastName }) => lastName),
          users.map(({ superAdmin }) => superAdmin),
          users.map(({ seatNames }) => JSON.stringify(seatNames)),
        ],
      );
      await run(
        "directory-unlist-users",
        `UPDATE users SET is_listed = false WHERE portal_id = $1 AND is_listed AND user_id <> ALL ($2::bigint[])`,
        [portalId, ids],
      );
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

    owner: (portalId, ownerId) =>
      cached(`owner:${portalId}:${ownerId}`, async () => {
        const row = await one<Omit<DirectoryOwner, "userId"> & { userId: string | null }>(
          "directory-owner",
          `SELECT owner_id AS id, user_id AS "userId", email, first_name AS "firstName", last_name AS "lastName", type,
                  is_archived AS archived
             FROM owners WHERE portal_id = $1 AND owner_id = $2`,
          [portalId, ownerId],
        );
        return row && { ...row, userId: row.userId === null ? null : BigInt(row.userId) };
      }),

    async activeUserEmail(portalId, userId) {
      const found = await cached(`user:${portalId}:${userId}`, () =>
        one<{ email: string | null }>(
          "directory-active-user",
          `SELECT email FROM (
             SELECT email, 1 AS preference FROM users WHERE portal_id = $1 AND user_id = $2 AND is_listed
             UNION ALL
             SELECT email, 2 FROM owners
              WHERE portal_id = $1 AND user_id = $2 AND NOT is_archived AND type = 'PERSON'
           ) AS known ORDER BY preference LIMIT 1`,
          [portalId, userId],
        ),
      );
      return found === undefined ? undefined : found.email;
    },

    async defaultSenderUserId(portalId) {
      const row = await one<{ id: string | null }>(
        "directory-default-sender",
        `SELECT default_sender_user_id AS id FROM portal_settings WHERE portal_id = $1`,
        [portalId],
      );
      return row?.id == null ? null : BigInt(row.id);
    },
  };
}
