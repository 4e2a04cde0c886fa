import type { Pool, PoolClient } from "pg";
import {
  HAD_USER_LIST,
  USER_LIST_COLUMNS,
  userListOf,
  type UserList,
  type UserListColumns,
} from "#domain/directory/user-list.js";
import type { Signer } from "#domain/vault/connect-portal.js";
import { fullLabel, inactivePeople, peopleOf, unnamed } from "#domain/directory/people.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import {
  OVERVIEW_COLUMNS,
  overviewOf,
  type OverviewColumns,
  type PortalOverview,
} from "./portal-overview.js";

/**
 * Whether user `person.user_id` may administer the account of `p`, with `u` their row in our copy of the user list and
 * `a` their row in `portal_admins`, either of which may be missing.
 *
 * The person concerned cannot influence the answer: it depends neither on who authorized the app last, nor on the
 * scopes, nor on whether the account is connected. The user list decides, even one that HubSpot no longer renews.
 * Whoever has left the account according to it has no rights; a user added by an admin has left, too, if a complete
 * list read since does not contain them. Only in an account that never had a list, the user in whose name the app works
 * counts: HubSpot required the right to install when they did, and an install by someone else does not change who that
 * is (domain/vault/judge-grant.ts).
 *
 * @param which condition on `user_id`, to restrict the users.
 */
const may = (which?: string): string => `
  ${isHere(which)} AND (${isLetInAs("a")}
    OR coalesce(u.super_admin, p.authorized_by_user_id = person.user_id AND NOT ${HAD_USER_LIST}, false))`;

/** Whether they may look at it, with `v` their row in `portal_viewers`. */
const mayView = (which?: string): string => `${isHere(which)} AND ${isLetInAs("v")}`;

const isHere = (which?: string): string =>
  `coalesce(u.is_listed, true) AND person.user_id NOT IN (${inactivePeople(which)})`;

const isLetInAs = (table: "a" | "v"): string =>
  `(${table}.user_id IS NOT NULL
    AND (u.user_id IS NOT NULL OR ${table}.added_at > coalesce(p.users_read_at, '-infinity')))`;

/** Columns `p`, `u`, `a` and `v` of `may` and `mayView` for each `person`. */
const JOINED = `
  JOIN portals p ON p.portal_id = $1
  LEFT JOIN users u ON u.portal_id = $1 AND u.user_id = person.user_id
  LEFT JOIN portal_admins a ON a.portal_id = $1 AND a.user_id = person.user_id
  LEFT JOIN portal_viewers v ON v.portal_id = $1 AND v.user_id = person.user_id`;

/** What someone may do on the settings site and in the tab: change things, or look at them. */
export type AccountRole = "admin" | "viewer";

/** SQL: the role of `person` as text; null: none. */
const roleOf = (which?: string): string =>
  `CASE WHEN ${may(which)} THEN 'admin' WHEN ${mayView(which)} THEN 'viewer' END`;

/** A user's rights, and how reliable the copy of the user list behind them is. */
export interface Rights {
  readonly mayAdminister: boolean;
  /** Undefined if they may not even look. */
  readonly role: AccountRole | undefined;
  readonly userList: UserList;
}

/** What a request of the settings site depends on, besides the session itself. */
export interface Standing extends Rights {
  readonly portal: PortalOverview;
  /** The session was ended on the server. */
  readonly isSessionEnded: boolean;
}

interface StandingRow extends OverviewColumns, UserListColumns {
  role: AccountRole | null;
  is_ended: boolean;
}

/** Called for every request of the settings site: one statement. Undefined if the app was never installed. */
export async function readStanding(
  pool: Pool,
  { portalId, userId, id }: { portalId: PortalId; userId: UserId | null; id: string },
): Promise<Standing | undefined> {
  const { rows } = await pool.query<StandingRow>({
    name: "read-standing",
    text: `SELECT ${roleOf("user_id = $2")} AS role, ${USER_LIST_COLUMNS}, ${OVERVIEW_COLUMNS},
                  EXISTS (SELECT FROM revoked_sessions WHERE session_id = $3) AS is_ended
             FROM (SELECT $2::bigint AS user_id) AS person ${JOINED}`,
    values: [portalId, userId, id],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  const portal = overviewOf(portalId, row);
  return { ...rightsOf(userId, row), portal, isSessionEnded: row.is_ended };
}

/** Called for every request of the tab. Undefined if the app was never installed. */
export async function readRights(
  db: Pool | PoolClient,
  portalId: PortalId,
  userId: UserId | null,
): Promise<Rights | undefined> {
  const { rows } = await db.query<{ role: AccountRole | null } & UserListColumns>({
    name: "read-rights",
    text: `SELECT ${roleOf("user_id = $2")} AS role, ${USER_LIST_COLUMNS} FROM (SELECT $2::bigint AS user_id) AS person ${JOINED}`,
    values: [portalId, userId],
  });
  const [row] = rows;
  return row && rightsOf(userId, row);
}

function rightsOf(userId: UserId | null, row: { role: AccountRole | null } & UserListColumns): Rights {
  const role = userId === null ? undefined : (row.role ?? undefined);
  return { mayAdminister: role === "admin", role, userList: userListOf(row) };
}

/** Whether a user may change things on the portal's settings site and in the settings tab. */
export async function mayAdminister(
  db: Pool | PoolClient,
  portalId: PortalId,
  userId: UserId | null,
): Promise<boolean> {
  return (await readRights(db, portalId, userId))?.mayAdminister ?? false;
}

/**
 * Whether this user's grant may take over the account: an admin's may, and anyone's if nobody is an admin and there
 * never was a list to say who should be. An account that is not connected is not taken over by an old list alone: whoever
 * removes the app and leaves out the permission to read users would choose to be judged by it. Whom an admin or the
 * operator let in does not depend on that list.
 */
export async function mayTakeOver(
  client: PoolClient,
  { portalId, userId, isConfirmed }: Signer,
): Promise<boolean> {
  const rights = await readRights(client, portalId, userId);
  if (rights === undefined) return true;
  const { isConnected, hadList, isLetIn } = await readPast(client, portalId, userId);
  if (rights.mayAdminister) return isConfirmed || isConnected || isLetIn || !hadList;
  return !hadList && (await listAdministrators(client, portalId)).length === 0;
}

async function readPast(client: PoolClient, portalId: PortalId, userId: UserId | null) {
  const { rows } = await client.query<{ is_connected: boolean; had_list: boolean; is_let_in: boolean }>(
    `SELECT p.status = 'CONNECTED' AS is_connected, ${HAD_USER_LIST} AS had_list,
            EXISTS (SELECT FROM portal_admins WHERE portal_id = p.portal_id AND user_id = $2) AS is_let_in
       FROM portals p WHERE p.portal_id = $1`,
    [portalId, userId],
  );
  const [row] = rows;
  return {
    isConnected: row?.is_connected === true,
    hadList: row?.had_list === true,
    isLetIn: row?.is_let_in === true,
  };
}

/** A user who may use the settings site, as what, and why. */
export interface AccountMember {
  userId: UserId;
  /** "Name · email", or whatever is known. */
  label: string;
  role: AccountRole;
  reason: "super-admin" | "installed" | "let-in";
}

interface MemberRow {
  user_id: string;
  label: string | null;
  email: string | null;
  installer_email: string | null;
  role: AccountRole;
  reason: AccountMember["reason"];
}

/** A page shows no more than this; nobody would read more. */
const MOST_LISTED = 1_000;

/** Every user with a role, admins first, by name; a thousand at most. */
export async function listMembers(db: Pool | PoolClient, portalId: PortalId): Promise<AccountMember[]> {
  const { rows } = await db.query<MemberRow>(
    `WITH person AS (
       SELECT user_id FROM users WHERE portal_id = $1 AND super_admin
       UNION SELECT authorized_by_user_id FROM portals WHERE portal_id = $1 AND authorized_by_user_id IS NOT NULL
       UNION SELECT user_id FROM portal_admins WHERE portal_id = $1
       UNION SELECT user_id FROM portal_viewers WHERE portal_id = $1
     ), judged AS (
       SELECT person.user_id, ${roleOf()} AS role,
              CASE WHEN u.super_admin THEN 'super-admin'
                   WHEN a.user_id IS NOT NULL OR v.user_id IS NOT NULL THEN 'let-in' ELSE 'installed' END AS reason,
              CASE WHEN p.authorized_by_user_id = person.user_id THEN p.authorized_by_email END AS installer_email
         FROM person ${JOINED}
     )
     SELECT judged.*, named.label, named.email
       FROM judged LEFT JOIN (${peopleOf()}) AS named ON named.user_id = judged.user_id
      WHERE role IS NOT NULL ORDER BY role, named.label, judged.user_id LIMIT $2`,
    [portalId, MOST_LISTED],
  );
  return rows
    .map(({ user_id, role, reason, ...named }) => ({
      userId: BigInt(user_id),
      label: labelOf(user_id, named),
      role,
      reason,
    }))
    .sort(
      (left, right) =>
        left.role.localeCompare(right.role, "en") || left.label.localeCompare(right.label, "en"),
    );
}

/** Every user for whom `mayAdminister` holds, by name; a thousand at most. */
export async function listAdministrators(
  db: Pool | PoolClient,
  portalId: PortalId,
): Promise<AccountMember[]> {
  return (await listMembers(db, portalId)).filter(({ role }) => role === "admin");
}

/** The person who installed the app may be missing from every list we can read: they are named by the address they signed in with. */
function labelOf(
  userId: string,
  { label, email, installer_email }: Pick<MemberRow, "label" | "email" | "installer_email">,
): string {
  const known = label === unnamed(userId) ? null : label;
  return known === null ? (installer_email ?? unnamed(userId)) : fullLabel({ label: known, email });
}
