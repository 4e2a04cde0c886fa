import type { Pool } from "pg";
import type { User } from "#platform/hubspot/gateway.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/** HubSpot's answer about one user. */
export interface ConfirmedUser {
  readonly portalId: PortalId;
  readonly userId: UserId;
  /** Undefined: the account has no such user. */
  readonly found: User | undefined;
  /** Also stored for an account that never had the app: it is about to be connected. */
  readonly isNewAccount: boolean;
}

/**
 * Writes the answer into our copy of the user list, which says who administers the account. Seats are only in the list
 * and stay as they were. A list reading that began earlier does not remove a user who was confirmed since.
 */
export async function confirmUser(pool: Pool, confirmed: ConfirmedUser): Promise<void> {
  const { portalId, userId, found, isNewAccount } = confirmed;
  await pool.query(
    `INSERT INTO users AS known
       (portal_id, user_id, email, first_name, last_name, super_admin, seat_names, is_listed, is_read_alone, saved_at)
     SELECT $1, $2, $3, $4, $5, $6, '{}', $7, true, now()
      WHERE $8 OR EXISTS (SELECT FROM portals WHERE portal_id = $1)
     ON CONFLICT (portal_id, user_id) DO UPDATE SET
       email = coalesce(excluded.email, known.email), first_name = coalesce(excluded.first_name, known.first_name),
       last_name = coalesce(excluded.last_name, known.last_name), super_admin = excluded.super_admin,
       is_listed = excluded.is_listed, saved_at = excluded.saved_at`,
    [
      portalId,
      userId,
      found?.email,
      found?.firstName,
      found?.lastName,
      found?.superAdmin ?? false,
      found !== undefined,
      isNewAccount,
    ],
  );
}
