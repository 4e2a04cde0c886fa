import { sendPage } from "#web/kit/page.js";
import { findActivePerson, fullLabel, listActivePeople } from "#domain/directory/people.js";
import { AccessPage } from "./access-page.js";
import { giveAccess, removeAccess } from "#domain/accounts/change-access.js";
import { listAdministrators } from "#domain/accounts/rights.js";
import { actorOf } from "../session/visit.js";
import { frameOf } from "../frame/shell.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { readId, type FormFields } from "#web/kit/form-fields.js";

/** GET /settings/access: who may use the site. */
export async function showAccess(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId } = visit.portal;
  const [administrators, people] = await Promise.all([
    listAdministrators(options.database.pool, portalId),
    listActivePeople(options.database.pool, portalId),
  ]);
  const admitted = new Set(administrators.map(({ userId }) => userId));
  const others = { ...people, people: people.people.filter(({ userId }) => !admitted.has(userId)) };
  const { userList } = visit;
  const frame = frameOf(exchange);
  sendPage(
    response,
    200,
    <AccessPage frame={frame} administrators={administrators} others={others} userList={userList} />,
  );
}

/** POST /settings/access/let-in */
export async function letSomebodyIn(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { pool } = options.database;
  const { session } = visit;
  const userId = readId(form.text("user_id"));
  const person = userId === undefined ? undefined : await findActivePerson(pool, session.portalId, userId);
  if (
    person === undefined ||
    !(await giveAccess(pool, actorOf(visit), { userId: person.userId, label: fullLabel(person) }))
  )
    return finishForm(exchange, "admin-unknown");
  finishForm(exchange, { name: "admin-let-in", about: person.label });
}

const REMOVE_NOTICES = {
  removed: "admin-taken-out",
  "not-listed": "admin-unknown",
  yourself: "admin-yourself",
} as const;

/** POST /settings/access/take-out */
export async function takeSomebodyOut(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { pool } = options.database;
  const { session } = visit;
  const person = find(await listAdministrators(pool, session.portalId), form);
  const outcome = person === undefined ? "not-listed" : await removeAccess(pool, actorOf(visit), person);
  finishForm(exchange, { name: REMOVE_NOTICES[outcome], about: person?.label ?? "" });
}

/** The person a form names, if they are among those it may name. */
function find<Person extends { readonly userId: bigint }>(
  people: readonly Person[],
  form: FormFields,
): Person | undefined {
  const given = form.text("user_id");
  return people.find(({ userId }) => userId.toString() === given);
}
