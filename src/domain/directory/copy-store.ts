import type { Pool } from "pg";
import { findSequenceReaders, type DirectoryReport } from "./report.js";
import type { ListedSequence, Owner, User } from "#platform/hubspot/gateway.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import type { Directory } from "./directory.js";

/** The portal's owner, under whose lease the copy is written: the CTE `lease` is on $1 (portal) and $2 (epoch). */
export interface CopyOwner {
  readonly pool: Pool;
  readonly portalId: PortalId;
  readonly epoch: bigint;
  readonly leaseCte: string;
}

interface Column<Entry> {
  readonly name: string;
  readonly type: string;
  readonly value: (entry: Entry) => unknown;
  /** The stored value, if it differs from the sent one. */
  readonly stored?: string;
}

/** How a list from HubSpot is stored. */
interface ListTable<Entry> {
  readonly table: string;
  /** The first column. */
  readonly key: Column<Entry>;
  readonly columns: readonly Column<Entry>[];
  /** What happens to an entry that HubSpot no longer lists, and the condition that it already happened. */
  readonly retire: string;
  readonly isRetired: string;
}

const person = <
  Entry extends { email: string | null; firstName: string | null; lastName: string | null },
>() =>
  [
    { name: "email", type: "text", value: ({ email }: Entry) => email },
    { name: "first_name", type: "text", value: ({ firstName }: Entry) => firstName },
    { name: "last_name", type: "text", value: ({ lastName }: Entry) => lastName },
  ] as const;

const isListed = { name: "is_listed", type: "boolean", value: () => true };
const UNLISTED = { retire: "is_listed = false", isRetired: "NOT old.is_listed" };

const SEQUENCES: ListTable<ListedSequence> = {
  table: "sequences",
  key: { name: "sequence_id", type: "text", value: ({ id }) => id },
  columns: [
    { name: "name", type: "text", value: ({ name }) => name },
    { name: "folder_id", type: "text", value: ({ folderId }) => folderId ?? null },
    { name: "hubspot_created_at", type: "timestamptz", value: ({ createdAt }) => createdAt ?? null },
    { name: "hubspot_updated_at", type: "timestamptz", value: ({ updatedAt }) => updatedAt ?? null },
    isListed,
  ],
  ...UNLISTED,
};

const OWNERS: ListTable<Owner> = {
  table: "owners",
  key: { name: "owner_id", type: "text", value: ({ id }) => id },
  columns: [
    { name: "user_id", type: "bigint", value: ({ userId }) => userId },
    ...person<Owner>(),
    { name: "type", type: "text", value: ({ type }) => type },
    { name: "is_archived", type: "boolean", value: ({ archived }) => archived },
  ],
  retire: "is_archived = true",
  isRetired: "old.is_archived",
};

const USERS: ListTable<User> = {
  table: "users",
  key: { name: "user_id", type: "bigint", value: ({ id }) => id },
  columns: [
    ...person<User>(),
    { name: "super_admin", type: "boolean", value: ({ superAdmin }) => superAdmin },
    {
      name: "seat_names",
      type: "jsonb",
      value: ({ seatNames }) => JSON.stringify(seatNames),
      stored: "ARRAY(SELECT jsonb_array_elements_text(seat_names))",
    },
    isListed,
    { name: "is_read_alone", type: "boolean", value: () => false },
  ],
  ...UNLISTED,
};

/** Unchanged entries are not written again: a renewal mostly finds what it knows. */
function saveSql<Entry>({ table, key, columns }: ListTable<Entry>, leaseCte: string): string {
  const all = [key, ...columns];
  const names = columns.map(({ name }) => name);
  const list = (prefix: string): string => names.map((name) => `${prefix}.${name}`).join(", ");
  return `
    WITH ${leaseCte}, incoming AS (
      SELECT ${all.map(({ name, stored }) => (stored === undefined ? name : `${stored} AS ${name}`)).join(", ")}
        FROM unnest(${all.map(({ type }, index) => `$${index + 4}::${type}[]`).join(", ")})
          AS row (${all.map(({ name }) => name).join(", ")})
    ), news AS (
      SELECT incoming.* FROM incoming
        LEFT JOIN ${table} old ON old.portal_id = $1 AND old.${key.name} = incoming.${key.name}
       WHERE $3::boolean OR old.portal_id IS NULL OR (${list("old")}) IS DISTINCT FROM (${list("incoming")})
    ), written AS (
      INSERT INTO ${table} (portal_id, ${key.name}, ${names.join(", ")}, saved_at)
      SELECT lease.portal_id, news.*, now() FROM news, lease
      ON CONFLICT (portal_id, ${key.name}) DO UPDATE
        SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")}, saved_at = excluded.saved_at
      RETURNING 1
    )
    SELECT EXISTS (SELECT FROM lease) AS is_ours, (SELECT count(*) FROM written)::int AS written`;
}

/** Entries that were read individually since $4 may not have been in the list yet. */
function retireSql<Entry>({ table, key, retire, isRetired }: ListTable<Entry>, leaseCte: string): string {
  return `
    WITH ${leaseCte}, written AS (
      UPDATE ${table} old SET ${retire}, saved_at = now() FROM lease
       WHERE old.portal_id = lease.portal_id AND NOT (${isRetired}) AND NOT (old.saved_at BETWEEN $4 AND now())
         AND NOT EXISTS (SELECT FROM unnest($3::${key.type}[]) AS listed (id) WHERE listed.id = old.${key.name})
      RETURNING 1
    )
    SELECT EXISTS (SELECT FROM lease) AS is_ours, (SELECT count(*) FROM written)::int AS written`;
}

/** Entries by their key; the last of duplicates counts. */
function distinct<Entry>({ key }: ListTable<Entry>, entries: readonly Entry[]): Entry[] {
  return [...new Map(entries.map((entry) => [String(key.value(entry)), entry])).values()];
}

/** One list, as the portal's owner writes it. */
export interface ListStore<Entry> {
  /**
   * Adds or updates the entries.
   * @returns false if the portal has another owner: nothing was written.
   */
  save(entries: readonly Entry[]): Promise<boolean>;
  /**
   * Stops offering every entry that is not among the ids, which are all that HubSpot lists, unless it was saved since
   * `since`.
   * @returns false if the portal has another owner: nothing was written.
   */
  retireOthers(ids: readonly string[], since: Date): Promise<boolean>;
}

/**
 * Writes a portal's copy, as its owner. Each method returns false, and has written nothing, once the portal has another
 * owner.
 */
export interface CopyStore {
  readonly sequences: ListStore<ListedSequence>;
  readonly owners: ListStore<Owner>;
  readonly users: ListStore<User>;
  /** One owner that was read individually: this overrides any list reading that began earlier. */
  confirmOwner(owner: Owner): Promise<boolean>;
  saveAccount(account: { timeZone: string | null; uiDomain: string | null }): Promise<boolean>;
  /** `startedAt`, not the end: a copy requested meanwhile is made after this one. */
  markSynced(startedAt: Date, told: { problem: string | null; report: DirectoryReport }): Promise<boolean>;
  /** The users as whom sequences are to be read, the best first. */
  sequenceReaders(): Promise<readonly UserId[]>;
  /** The complete user list was read, by a reading that began at this time. */
  markUsersRead(startedAt: Date): Promise<boolean>;
  /** HubSpot refused the user list, or sent an implausible one. */
  markUsersRefused(): Promise<boolean>;
  /** After a failed reading of the user list alone: requests the next one, not before `delayMs` from now. */
  postponeUsers(delayMs: number): Promise<boolean>;
  /** After a failed sync: requests the next one, not before `delayMs` from now. */
  postponeSync(delayMs: number): Promise<boolean>;
}

export function createCopyStore(owner: CopyOwner, directory: Pick<Directory, "forget">): CopyStore {
  const { pool, portalId, epoch, leaseCte } = owner;

  async function write(name: string, text: string, values: readonly unknown[]): Promise<boolean> {
    const { rows } = await pool.query<{ is_ours: boolean }>({
      name: `directory-${name}`,
      text,
      values: [portalId, epoch, ...values],
    });
    return rows[0]?.is_ours === true;
  }

  function save<Entry>(list: ListTable<Entry>, entries: readonly Entry[], isConfirmed: boolean) {
    const rows = distinct(list, entries);
    const columns = [list.key, ...list.columns].map(({ value }) => rows.map(value));
    return write(`save-${list.table}`, saveSql(list, leaseCte), [isConfirmed, ...columns]);
  }

  function storeOf<Entry>(list: ListTable<Entry>): ListStore<Entry> {
    return {
      save: (entries) => save(list, entries, false),
      retireOthers: (ids, since) => write(`retire-${list.table}`, retireSql(list, leaseCte), [ids, since]),
    };
  }

  /** @param set assignments to the portal's row, on $3 and on. */
  function setPortal(name: string, set: string, values: readonly unknown[]): Promise<boolean> {
    const text = `
      WITH ${leaseCte}, written AS (
        UPDATE portals p SET ${set} FROM lease WHERE p.portal_id = lease.portal_id RETURNING 1
      )
      SELECT EXISTS (SELECT FROM lease) AS is_ours`;
    return write(name, text, values);
  }

  return {
    sequenceReaders: () => findSequenceReaders(pool, portalId),
    sequences: storeOf(SEQUENCES),
    users: storeOf(USERS),
    owners: {
      ...storeOf(OWNERS),
      async save(entries) {
        const isOurs = await save(OWNERS, entries, false);
        directory.forget(portalId, entries);
        return isOurs;
      },
    },
    async confirmOwner(confirmed) {
      const isOurs = await save(OWNERS, [confirmed], true);
      directory.forget(portalId, [confirmed]);
      return isOurs;
    },
    saveAccount: ({ timeZone, uiDomain }) =>
      setPortal("save-account", "time_zone = $3, ui_domain = $4", [timeZone, uiDomain]),
    // A request in the future, by a clock that was set back since, would be repeated again and again.
    markSynced: (startedAt, { problem, report }) =>
      setPortal(
        "mark-synced",
        `directory_synced_at = $3, directory_error = $4, directory_report = $5::jsonb,
         directory_requested_at = CASE WHEN p.directory_requested_at <= now() THEN p.directory_requested_at END`,
        [startedAt, problem, JSON.stringify(report)],
      ),
    markUsersRead: (startedAt) =>
      setPortal("mark-users-read", `users_read_at = $3, users_refused_at = NULL, users_requested_at = NULL`, [
        startedAt,
      ]),
    markUsersRefused: () =>
      setPortal("mark-users-refused", "users_refused_at = now(), users_requested_at = NULL", []),
    postponeUsers: (delayMs) =>
      setPortal("postpone-users", "users_requested_at = now() + $3 * interval '1 millisecond'", [delayMs]),
    postponeSync: (delayMs) =>
      setPortal("postpone-sync", "directory_requested_at = now() + $3 * interval '1 millisecond'", [delayMs]),
  };
}
