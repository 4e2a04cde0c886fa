import type { Pool } from "pg";
import type { Owner } from "#platform/hubspot/gateway.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { DirectoryCache } from "./directory-cache.js";
import {
  DIRECTORY_STATE,
  toDirectoryState,
  type DirectoryState,
  type DirectoryStateRow,
} from "./directory-state.js";
import { peopleOf } from "./people.js";

/** An owner by our copy. */
export interface StoredOwner extends Owner {
  /** Whether the person can send by all that our copy has of them: see people.ts. */
  readonly isActive: boolean;
}

/**
 * Our copy of a portal's sequences, owners and users: dropdowns and the choice of senders read it without a call to
 * HubSpot. Written by the portal's owner (copy-store.ts, worker/renewal/sync-directory.ts); read by all.
 */
export interface Directory {
  state(portalId: PortalId): Promise<DirectoryState | undefined>;
  /** Requests a new copy, unless one was requested or made within `minAgeMs`. True if it was requested now. */
  requestSync(portalId: PortalId, options: { minAgeMs: number }): Promise<boolean>;
  sequenceName(portalId: PortalId, sequenceId: string): Promise<string | undefined>;
  /** Whether one of our readers saw the sequence in HubSpot when our copy was made. */
  isSequenceListed(portalId: PortalId, sequenceId: string): Promise<boolean>;
  owner(portalId: PortalId, ownerId: string): Promise<StoredOwner | undefined>;
  /** Emails of active people; those without an entry are not active. */
  activeUserEmails(
    portalId: PortalId,
    userIds: readonly UserId[],
  ): Promise<ReadonlyMap<UserId, string | null>>;
  /** Call it after owners were written: drops what this process has cached of them. */
  forget(portalId: PortalId, owners: readonly Pick<Owner, "id" | "userId">[]): void;
}

/** One statement, however many: a rotation has up to 200 members. */
const ACTIVE_USERS = `SELECT user_id, email FROM (${peopleOf("user_id = ANY ($2::bigint[])")}) AS person WHERE is_active`;

const OWNER = `
  SELECT owner_id AS id, user_id AS "userId", email, first_name AS "firstName", last_name AS "lastName", type,
         is_archived AS archived,
         coalesce((SELECT is_active FROM (${peopleOf("user_id = asked.user_id")}) AS person), false) AS "isActive"
    FROM owners AS asked WHERE portal_id = $1 AND owner_id = $2`;

const REQUEST_SYNC = `
  UPDATE portals SET directory_requested_at = now()
   WHERE portal_id = $1 AND status = 'CONNECTED'
     AND greatest(directory_requested_at, directory_synced_at, '-infinity') <= now() - $2 * interval '1 millisecond'`;

const keyOf = (kind: "owner" | "user" | "sequence", portalId: PortalId, id: string | bigint): string =>
  `${kind}:${portalId}:${id}`;

export function createDirectory({ pool }: { pool: Pool }): Directory {
  const cache = new DirectoryCache();

  async function one<T extends object>(
    name: string,
    text: string,
    values: unknown[],
  ): Promise<T | undefined> {
    return (await pool.query<T>({ name, text, values })).rows[0];
  }

  async function readActiveUsers(
    portalId: PortalId,
    userIds: readonly UserId[],
  ): Promise<[userId: UserId, found: { email: string | null }][]> {
    const { rows } = await pool.query<{ user_id: string; email: string | null }>({
      name: "directory-active-users",
      text: ACTIVE_USERS,
      values: [portalId, userIds],
    });
    return rows.map(({ user_id, email }) => [BigInt(user_id), { email }]);
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
      const { rowCount } = await pool.query({
        name: "directory-request-sync",
        text: REQUEST_SYNC,
        values: [portalId, minAgeMs],
      });
      return rowCount === 1;
    },

    forget(portalId, owners) {
      for (const { id, userId } of owners) {
        cache.forget(keyOf("owner", portalId, id));
        if (userId !== null) cache.forget(keyOf("user", portalId, userId));
      }
    },

    async sequenceName(portalId, sequenceId) {
      const found = await cache.read(keyOf("sequence", portalId, sequenceId), () =>
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
      cache.read(keyOf("owner", portalId, ownerId), async () => {
        const row = await one<Omit<StoredOwner, "userId"> & { userId: string | null }>(
          "directory-owner",
          OWNER,
          [portalId, ownerId],
        );
        return row && { ...row, userId: row.userId === null ? null : BigInt(row.userId) };
      }),

    async activeUserEmails(portalId, userIds) {
      const found = await cache.readMany(userIds, {
        keyOf: (userId) => keyOf("user", portalId, userId),
        load: (missing) => readActiveUsers(portalId, missing),
      });
      return new Map([...found].map(([userId, { email }]) => [userId, email]));
    },
  };
}
