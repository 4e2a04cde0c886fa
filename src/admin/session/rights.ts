import type { Pool, PoolClient } from "pg";
import { inTransaction } from "../../db/transaction.js";
import { recordChange } from "../audit/record-change.js";
import type { SessionIdentity } from "./session.js";

/**
 * Whether a user may use the portal's settings site: its super admins, and whom an admin has let in. Super admins are
 * known from our copy of the user list, also of one that HubSpot does not renew any more: the permission to read it is
 * chosen by whoever authorizes the app last. Of those who are not on it the user in whose name the app was installed
 * counts, since HubSpot asked for that right when they did; who that is, nobody changes who may not administer
 * (`mayTakeOver`). A user who has left the portal may nothing.
 */
export async function mayAdminister(
  db: Pool | PoolClient,
  portalId: bigint,
  userId: bigint | null,
): Promise<boolean> {
  if (userId === null) return false;
  const { rows } = await db.query<{ may: boolean }>({
    name: "may-administer",
    text: `
      SELECT coalesce((SELECT is_listed FROM users WHERE portal_id = $1 AND user_id = $2), true) AND (
               EXISTS (SELECT FROM portal_admins WHERE portal_id = $1 AND user_id = $2)
               OR coalesce((SELECT super_admin FROM users WHERE portal_id = $1 AND user_id = $2),
                           p.authorized_by_user_id = $2, false)) AS may
        FROM portals p WHERE p.portal_id = $1`,
    values: [portalId, userId],
  });
  return rows[0]?.may ?? false;
}

/** Whether an install by this user may change in whose name the app works: an admin's, or anybody's where there is none. */
export async function mayTakeOver(
  client: PoolClient,
  portalId: bigint,
  userId: bigint | null,
): Promise<boolean> {
  if (await mayAdminister(client, portalId, userId)) return true;
  return (await listAdministrators(client, portalId)).length === 0;
}

/** Whether our copy of the portal's user list, of whatever age, says who is a super admin. */
export async function hasUserList(pool: Pool, portalId: bigint): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT FROM users WHERE portal_id = $1 LIMIT 1", [portalId]);
  return rowCount === 1;
}

/** Somebody who may use the settings site, and why. */
export interface Administrator {
  userId: bigint;
  /** "Name · e-mail", or what of it is known. */
  label: string;
  reason: "super-admin" | "installed" | "let-in";
}

interface AdministratorRow {
  user_id: string;
  label: string | null;
  reason: Administrator["reason"];
}

/** A page shows no more, and nobody reads more. */
const MOST_LISTED = 1_000;

/** Everybody for whom `mayAdminister` holds, by name; a thousand of them at most. */
export async function listAdministrators(db: Pool | PoolClient, portalId: bigint): Promise<Administrator[]> {
  const { rows } = await db.query<AdministratorRow>(
    `WITH candidate AS (
       SELECT user_id, 'super-admin' AS reason, 1 AS rank FROM users WHERE portal_id = $1 AND super_admin
       UNION ALL
       SELECT authorized_by_user_id, 'installed', 2 FROM portals
        WHERE portal_id = $1 AND authorized_by_user_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM users WHERE portal_id = $1 AND user_id = authorized_by_user_id)
       UNION ALL
       SELECT user_id, 'let-in', 3 FROM portal_admins WHERE portal_id = $1
     ), person AS (SELECT DISTINCT ON (user_id) user_id, reason FROM candidate ORDER BY user_id, rank)
     SELECT person.user_id, person.reason,
            nullif(concat_ws(' · ', nullif(concat_ws(' ', coalesce(u.first_name, o.first_name), coalesce(u.last_name, o.last_name)), ''),
                             coalesce(u.email, o.email, CASE WHEN p.authorized_by_user_id = person.user_id THEN p.authorized_by_email END)), '') AS label
       FROM person
       JOIN portals p ON p.portal_id = $1
       LEFT JOIN users u ON u.portal_id = $1 AND u.user_id = person.user_id
       LEFT JOIN LATERAL (SELECT * FROM owners WHERE portal_id = $1 AND user_id = person.user_id ORDER BY is_archived LIMIT 1) o ON true
      WHERE coalesce(u.is_listed, true) ORDER BY label, person.user_id LIMIT $2`,
    [portalId, MOST_LISTED],
  );
  return rows
    .map(({ user_id, label, reason }) => ({
      userId: BigInt(user_id),
      label: label ?? `User ${user_id}`,
      reason,
    }))
    .sort((left, right) => left.label.localeCompare(right.label, "en"));
}

/** Puts a user on the list. False where they were on it before. */
export async function letIn(pool: Pool, by: SessionIdentity, person: Administered): Promise<boolean> {
  const { userId, label } = person;
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO portal_admins (portal_id, user_id, added_by_user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [by.portalId, userId, by.userId],
    );
    if (rowCount === 0) return false;
    await recordChange(client, { ...changeBy(by, label), action: "LET_IN", after: { userId } });
    return true;
  });
}

/** Takes a user off the list. False where they were not on it. */
export async function takeOut(pool: Pool, by: SessionIdentity, person: Administered): Promise<boolean> {
  const { userId, label } = person;
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      "DELETE FROM portal_admins WHERE portal_id = $1 AND user_id = $2",
      [by.portalId, userId],
    );
    if (rowCount === 0) return false;
    await recordChange(client, { ...changeBy(by, label), action: "TAKEN_OUT", before: { userId } });
    return true;
  });
}

type Administered = Pick<Administrator, "userId" | "label">;

const changeBy = (by: SessionIdentity, subjectName: string) => ({ by, subject: "access", subjectName });
