import type { Pool } from "pg";

/** Whether a user may see and change the app's settings; a refusal says why, for the person to act on. */
export type Admission =
  | "admitted"
  | "not-an-admin" // in the list of users, and no super admin
  | "user-list-not-granted" // the portal did not grant settings.users.read, so nobody can be recognised
  | "user-list-not-read"; // granted, and not copied yet

export type MayAdminister = (portalId: bigint, userId: bigint) => Promise<Admission>;

interface Row {
  is_granted: boolean;
  is_read: boolean;
  is_super_admin: boolean;
}

const USER_LIST_SCOPE = "settings.users.read";

/** Admits super admins, by our copy of the portal's list of users. */
export function admitSuperAdmins(pool: Pool): MayAdminister {
  return async (portalId, userId) => {
    const { rows } = await pool.query<Row>(
      `SELECT $3 = ANY (p.scopes) AS is_granted, p.directory_synced_at IS NOT NULL AS is_read,
         EXISTS (
           SELECT FROM users u
           WHERE u.portal_id = p.portal_id AND u.user_id = $2 AND u.super_admin AND u.is_listed
         ) AS is_super_admin
       FROM portals p WHERE p.portal_id = $1`,
      [portalId, userId, USER_LIST_SCOPE],
    );
    const { is_granted = false, is_read = false, is_super_admin = false } = rows[0] ?? {};
    if (!is_granted) return "user-list-not-granted";
    if (is_super_admin) return "admitted";
    return is_read ? "not-an-admin" : "user-list-not-read";
  };
}
