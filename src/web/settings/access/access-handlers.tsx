import { sendPage } from "#web/kit/page.js";
import { findActivePerson, fullLabel, listActivePeople } from "#domain/directory/people.js";
import { AccessPage } from "./access-page.js";
import { changeRole, giveAccess, removeAccess } from "#domain/accounts/change-access.js";
import { listMembers, type AccountRole } from "#domain/accounts/rights.js";
import { actorOf } from "../session/visit.js";
import { frameOf } from "../frame/shell.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { readId, type FormFields } from "#web/kit/form-fields.js";
import type { UserId } from "#platform/ids/branded-ids.js";

/** GET /settings/access: who may use the site. */
export async function showAccess(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId } = visit.portal;
  const [members, people] = await Promise.all([
    listMembers(options.database.pool, portalId),
    listActivePeople(options.database.pool, portalId),
  ]);
  const admitted = new Set(members.map(({ userId }) => userId));
  const others = { ...people, people: people.people.filter(({ userId }) => !admitted.has(userId)) };
  const { userList } = visit;
  const frame = frameOf(exchange);
  sendPage(response, 200, <AccessPage frame={frame} members={members} others={others} userList={userList} />);
}

/** POST /settings/access/let-in */
export async function letSomebodyIn(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { pool } = options.database;
  const { session } = visit;
  const userId = readId(form.text("user_id"));
  const role = roleIn(form);
  const person = userId === undefined ? undefined : await findActivePerson(pool, session.portalId, userId);
  if (
    person === undefined ||
    role === undefined ||
    !(await giveAccess(pool, actorOf(visit), { userId: person.userId, label: fullLabel(person), role }))
  )
    return finishForm(exchange, "admin-unknown");
  finishForm(exchange, {
    name: role === "admin" ? "admin-let-in" : "viewer-let-in",
    about: person.label,
    undoKey: `${UNDO}remove:${person.userId}`,
  });
}

/** POST /settings/access/role */
export async function changeSomebodysRole(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { pool } = options.database;
  const person = find(await listMembers(pool, visit.session.portalId), form);
  const role = roleIn(form);
  if (person === undefined || role === undefined) return finishForm(exchange, "member-unknown");
  const outcome = await changeRole(pool, actorOf(visit), { ...person, role });
  const changed = role === "admin" ? "made-admin" : "made-viewer";
  const { label: about, userId } = person;
  if (outcome !== "changed") return finishForm(exchange, { name: KEPT_NOTICES[outcome], about });
  finishForm(exchange, { name: changed, about, undoKey: `${UNDO}role:${userId}:${person.role}` });
}

function roleIn(form: FormFields): AccountRole | undefined {
  const given = form.text("role");
  return given === "admin" || given === "viewer" ? given : undefined;
}

const KEPT_NOTICES = {
  "not-listed": "member-unknown",
  yourself: "admin-yourself",
  "last-admin": "last-admin",
} as const;

/** POST /settings/access/take-out */
export async function takeSomebodyOut(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { pool } = options.database;
  const { session } = visit;
  const person = find(await listMembers(pool, session.portalId), form);
  if (person === undefined) return finishForm(exchange, "member-unknown");
  const outcome = await removeAccess(pool, actorOf(visit), person);
  const { label: about, userId, role } = person;
  if (outcome !== "removed") return finishForm(exchange, { name: KEPT_NOTICES[outcome], about });
  finishForm(exchange, { name: "admin-taken-out", about, undoKey: `${UNDO}give:${userId}:${role}` });
}

const UNDO = "access-";
const UNDO_KEY = /^access-(give|remove|role):(\d{1,18})(?::(admin|viewer))?$/;

/**
 * Takes back what was done to somebody's access. The key itself says how: it is one more change like those that the page offers,
 * by the same verbs.
 *
 * @returns undefined if the key is about something else; false if the access cannot be changed so anymore.
 */
export async function undoAccess({ options, visit }: Exchange, key: string): Promise<boolean | undefined> {
  const [, step, id = "", given] = UNDO_KEY.exec(key) ?? [];
  if (step === undefined) return undefined;
  const { pool } = options.database;
  const { portalId } = visit.session;
  const [actor, userId, role] = [actorOf(visit), BigInt(id), given === "admin" ? "admin" : "viewer"] as const;
  const person = await findActivePerson(pool, portalId, userId);
  if (person === undefined) return false;
  const changed = { userId, label: fullLabel(person), role };
  if (step === "give") return giveAccess(pool, actor, changed);
  if (step === "role") return (await changeRole(pool, actor, changed)) === "changed";
  return (await removeAccess(pool, actor, changed)) === "removed";
}

/** The person a form names, if they are among those it may name. */
function find<Person extends { readonly userId: UserId }>(
  people: readonly Person[],
  form: FormFields,
): Person | undefined {
  const given = form.text("user_id");
  return people.find(({ userId }) => userId.toString() === given);
}
