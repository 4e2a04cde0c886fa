import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** Without it, HubSpot tells no grant who the account's users are. */
const SCOPE = "settings.users.read";
/** From this age, a visit to the site or the tab has the list read again. */
const AGING_MS = 15 * 60_000;
/** From this age, nobody can change anything by it, if it can be read again. */
const STALE_MS = 24 * 3_600_000;

/**
 * SQL: whether the account of `p` (portals) ever had a user list. A complete reading is remembered for good; an answer
 * about one user does not count as a list.
 */
export const HAD_USER_LIST = `(p.users_read_at IS NOT NULL
  OR EXISTS (SELECT FROM users WHERE portal_id = p.portal_id AND NOT is_read_alone))`;

/** SQL: whether HubSpot lets us read the user list of `p`, by its latest answer. */
export const CAN_RENEW_USER_LIST = `(p.status = 'CONNECTED' AND '${SCOPE}' = ANY (p.scopes) AND p.users_refused_at IS NULL)`;

/**
 * SQL: since when our copy of the user list of `p` has not been renewed. Earlier releases recorded only the directory's
 * renewal.
 */
export const USER_LIST_READ_AT = "coalesce(p.users_read_at, greatest(p.directory_synced_at, p.installed_at))";

/** SQL: whether a reading of the user list of `p` is requested, now or after a failure. */
const IS_ASKED = "coalesce(p.users_requested_at > coalesce(p.users_read_at, '-infinity'), false)";

/**
 * How reliable the copy of the user list is. `none`: there never was one. `fresh`; `aging`: it is to be read again;
 * `stale`: nothing may be changed before it is. `fixed`: HubSpot does not let us read it, so it stays as it is.
 */
export type UserListState = "none" | "fresh" | "aging" | "stale" | "fixed";

/** SQL columns of a query over `p`, for `userListOf`. */
export const USER_LIST_COLUMNS = `${HAD_USER_LIST} AS had_list, ${CAN_RENEW_USER_LIST} AS can_renew, ${IS_ASKED} AS is_asked,
  extract(epoch FROM now() - ${USER_LIST_READ_AT})::float8 * 1000 AS list_age_ms, ${USER_LIST_READ_AT} AS list_read_at`;

export interface UserListColumns {
  had_list: boolean;
  can_renew: boolean;
  is_asked: boolean;
  list_age_ms: number;
  list_read_at: Date;
}

/** Our copy of a portal's user list. */
export interface UserList {
  readonly state: UserListState;
  /** It should be read again now, and no one has requested that yet. */
  readonly isDue: boolean;
  readonly readAt: Date;
}

export function userListOf(row: UserListColumns): UserList {
  const state = stateOf(row);
  const isDue = (state === "aging" || state === "stale") && !row.is_asked;
  return { state, isDue, readAt: row.list_read_at };
}

function stateOf({ had_list, can_renew, list_age_ms }: UserListColumns): UserListState {
  if (!can_renew) return had_list ? "fixed" : "none";
  if (list_age_ms > STALE_MS) return "stale";
  return list_age_ms > AGING_MS ? "aging" : "fresh";
}

/**
 * Requests a reading of the user list alone, if it is no longer fresh, can be read, and none was requested yet.
 *
 * @returns whether it was requested now: then the portal has to be woken.
 */
export async function requestUserList(pool: Pool, portalId: PortalId): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: "request-user-list",
    text: `UPDATE portals p SET users_requested_at = now()
            WHERE portal_id = $1 AND ${CAN_RENEW_USER_LIST} AND NOT ${IS_ASKED}
              AND ${USER_LIST_READ_AT} < now() - $2 * interval '1 millisecond'`,
    values: [portalId, AGING_MS],
  });
  return rowCount === 1;
}

/** How often idle accounts are checked. */
export const IDLE_INTERVAL_MS = 15_000;
/** SQL: how many of them at a time, so that all of them together take half an hour. */
export const IDLE_SHARE = "(SELECT greatest(5, count(*) / 120) FROM portals)";

/** An idle account has its list read again at this age. */
const OLD = "interval '1 hour'";
/** A refused list is tried again after this time. */
const REFUSED_FOR = "interval '1 day'";

/**
 * The same for all accounts whose list is an hour old: the longest waiting first, and enough at a time that all are
 * read within half an hour, so that they do not all come at once after an outage.
 *
 * @returns the portals to wake.
 */
export async function requestOldUserLists(pool: Pool): Promise<PortalId[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "request-old-user-lists",
    text: `
      UPDATE portals SET users_requested_at = now() WHERE portal_id IN (
        SELECT portal_id FROM portals p
         WHERE p.status = 'CONNECTED' AND '${SCOPE}' = ANY (p.scopes) AND NOT ${IS_ASKED}
           AND ${USER_LIST_READ_AT} < now() - ${OLD}
           AND (p.users_refused_at IS NULL OR p.users_refused_at < now() - ${REFUSED_FOR})
         ORDER BY ${USER_LIST_READ_AT} LIMIT ${IDLE_SHARE} FOR UPDATE SKIP LOCKED
      ) RETURNING portal_id`,
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}
