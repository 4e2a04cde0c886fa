import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor, System } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { inactivePeople, unnamed } from "#domain/directory/people.js";
import { mayAdminister, type Administrator } from "./rights.js";

type Person = Pick<Administrator, "userId" | "label">;

/** Adds a user to the list of those who may use the settings pages. False if they were on it already. */
export async function giveAccess(pool: Pool, actor: Actor, person: Person): Promise<boolean> {
  requireRight(actor, "giveAccess");
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO portal_admins (portal_id, user_id, added_by_user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [actor.portalId, person.userId, "userId" in actor ? actor.userId : null],
    );
    if (rowCount === 0) return false;
    await recordAccess(client, actor, { person, isGiven: true });
    return true;
  });
}

/** The result of an operator's request to give someone access. */
export type OperatorGrant = "granted" | "had-it" | "unknown-portal" | "has-left";

/**
 * Adds a user to the list for the operator: the way out if an account has no admin left. Like an entry by an admin, it
 * is removed by a reading of the complete user list that does not contain the user.
 */
export async function grantByOperator(pool: Pool, operator: System, userId: bigint): Promise<OperatorGrant> {
  requireRight(operator, "giveAccess");
  const { portalId } = operator;
  return inTransaction(pool, async (client) => {
    const known = await client.query("SELECT FROM portals WHERE portal_id = $1 FOR UPDATE", [portalId]);
    if (known.rowCount === 0) return "unknown-portal";
    const left = await client.query(
      `SELECT FROM users WHERE portal_id = $1 AND user_id = $2
          AND (NOT is_listed OR user_id IN (${inactivePeople("user_id = $2")}))`,
      [portalId, userId],
    );
    if (left.rowCount !== 0) return "has-left";
    if (await mayAdminister(client, portalId, userId)) return "had-it";
    await client.query(
      `INSERT INTO portal_admins (portal_id, user_id) VALUES ($1, $2)
       ON CONFLICT (portal_id, user_id) DO UPDATE SET added_at = now(), added_by_user_id = NULL`,
      [portalId, userId],
    );
    const person = { userId, label: unnamed(userId) };
    await recordAccess(client, operator, { person, isGiven: true });
    return "granted";
  });
}

/** The result of an admin's request to take someone's access away. */
export type RemoveOutcome = "removed" | "not-listed" | "yourself"; // an admin cannot lock themselves out by mistake

/** Removes a user from the list. */
export async function removeAccess(pool: Pool, actor: Actor, person: Person): Promise<RemoveOutcome> {
  requireRight(actor, "removeAccess");
  if ("userId" in actor && actor.userId === person.userId) return "yourself";
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      "DELETE FROM portal_admins WHERE portal_id = $1 AND user_id = $2",
      [actor.portalId, person.userId],
    );
    if (rowCount === 0) return "not-listed";
    await recordAccess(client, actor, { person, isGiven: false });
    return "removed";
  });
}

function recordAccess(
  client: PoolClient,
  actor: Actor,
  { person: { userId, label }, isGiven }: { person: Person; isGiven: boolean },
): Promise<void> {
  return recordChange(client, actor, {
    subject: "access",
    subjectName: label,
    ...(isGiven ? { action: "LET_IN", after: { userId } } : { action: "TAKEN_OUT", before: { userId } }),
  });
}
