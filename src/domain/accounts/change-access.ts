import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { recordChange, type AuditedChange } from "#domain/audit/record-change.js";
import type { Actor, System } from "#domain/contract/actor.js";
import { NotAllowed, requireRight, type Verb } from "#domain/contract/actor-rights.js";
import { inactivePeople, unnamed } from "#domain/directory/people.js";
import { listMembers, mayAdminister, type AccountMember, type AccountRole } from "./rights.js";

type Person = Pick<AccountMember, "userId" | "label">;

const TABLES: Readonly<Record<AccountRole, string>> = { admin: "portal_admins", viewer: "portal_viewers" };

/**
 * Gives a user access as an admin or a viewer. False if an admin gave them access before, in whatever role, or they are
 * an admin anyway.
 *
 * @throws NotAllowed also if the actor is no longer an admin.
 */
export async function giveAccess(
  pool: Pool,
  actor: Actor,
  person: Person & { readonly role: AccountRole },
): Promise<boolean> {
  requireRight(actor, "giveAccess");
  const { role } = person;
  return changingAccess(pool, { actor, verb: "giveAccess" }, async (client, members) => {
    if (members.some(({ userId }) => userId === person.userId)) return false;
    await list(client, actor, person);
    await recordAccess(client, actor, {
      person,
      action: "LET_IN",
      after: { userId: person.userId, role },
    });
    return true;
  });
}

/** Why an access cannot be changed: no admin gave it, it is the actor's own, or it is that of the only admin. */
type Kept = "not-listed" | "yourself" | "last-admin";

/** Makes an admin whom an admin let in a viewer, or the other way around. */
export async function changeRole(
  pool: Pool,
  actor: Actor,
  person: Person & { readonly role: AccountRole },
): Promise<"changed" | Kept> {
  requireRight(actor, "changeRole");
  return changingAccess(pool, { actor, verb: "changeRole" }, async (client, members) => {
    const member = findChangeable(actor, members, person);
    if (typeof member === "string") return member;
    if (member.role === person.role) return "changed";
    await unlist(client, actor.portalId, person.userId);
    await list(client, actor, person);
    const { userId } = person;
    await recordAccess(client, actor, {
      person,
      action: "CHANGED",
      before: { userId, role: member.role },
      after: { userId, role: person.role },
    });
    return "changed";
  });
}

/** Takes away the access that an admin gave. */
export async function removeAccess(pool: Pool, actor: Actor, person: Person): Promise<"removed" | Kept> {
  requireRight(actor, "removeAccess");
  return changingAccess(pool, { actor, verb: "removeAccess" }, async (client, members) => {
    const member = findChangeable(actor, members, person);
    if (typeof member === "string") return member;
    await unlist(client, actor.portalId, person.userId);
    const before = { userId: person.userId, role: member.role };
    await recordAccess(client, actor, { person, action: "TAKEN_OUT", before });
    return "removed";
  });
}

/**
 * Changes an account's access one at a time, each by someone who is an admin at that moment: if two admins remove each
 * other's access at the same time, the second one fails, and one admin is left.
 */
function changingAccess<Result>(
  pool: Pool,
  { actor, verb }: { actor: Actor; verb: Verb },
  change: (client: PoolClient, members: readonly AccountMember[]) => Promise<Result>,
): Promise<Result> {
  return inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`access:${actor.portalId}`]);
    const members = await listMembers(client, actor.portalId);
    if (actor.kind === "admin" && actor.userId !== null && !isAdmin(members, actor.userId))
      throw new NotAllowed(actor, verb);
    return change(client, members);
  });
}

const isAdmin = (members: readonly AccountMember[], id: UserId): boolean =>
  members.some(({ userId, role }) => userId === id && role === "admin");

function findChangeable(
  actor: Actor,
  members: readonly AccountMember[],
  { userId }: Pick<Person, "userId">,
): AccountMember | Kept {
  if ("userId" in actor && actor.userId === userId) return "yourself";
  const member = members.find((one) => one.userId === userId);
  if (member?.reason !== "let-in") return "not-listed";
  const isOnlyAdmin = member.role === "admin" && members.filter(({ role }) => role === "admin").length === 1;
  return isOnlyAdmin ? "last-admin" : member;
}

async function list(
  client: PoolClient,
  actor: Actor,
  { userId, role }: { userId: UserId; role: AccountRole },
): Promise<void> {
  await client.query(
    `INSERT INTO ${TABLES[role]} (portal_id, user_id, added_by_user_id) VALUES ($1, $2, $3)
     ON CONFLICT (portal_id, user_id) DO UPDATE SET added_at = now(), added_by_user_id = $3`,
    [actor.portalId, userId, "userId" in actor ? actor.userId : null],
  );
}

async function unlist(client: PoolClient, portalId: PortalId, userId: UserId): Promise<void> {
  for (const table of Object.values(TABLES))
    await client.query(`DELETE FROM ${table} WHERE portal_id = $1 AND user_id = $2`, [portalId, userId]);
}

/** The result of an operator's request to give someone access. */
export type OperatorGrant = "granted" | "had-it" | "unknown-portal" | "has-left";

/**
 * Adds a user to the list for the operator: the way out if an account has no admin left. Like an entry by an admin, it
 * is removed by a reading of the complete user list that does not contain the user.
 */
export async function grantByOperator(pool: Pool, operator: System, userId: UserId): Promise<OperatorGrant> {
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
    await unlist(client, portalId, userId);
    await list(client, operator, { userId, role: "admin" });
    const person = { userId, label: unnamed(userId) };
    await recordAccess(client, operator, { person, action: "LET_IN", after: { userId, role: "admin" } });
    return "granted";
  });
}

function recordAccess(
  client: PoolClient,
  actor: Actor,
  { person: { label }, ...change }: { person: Person } & Pick<AuditedChange, "action" | "before" | "after">,
): Promise<void> {
  return recordChange(client, actor, { subject: "access", subjectName: label, ...change });
}
