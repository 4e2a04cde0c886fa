import type { Request, Response } from "express";
import { sendPage } from "#web/kit/page.js";
import { admitPage } from "../gate/admit-page.js";
import { findActivePerson, fullLabel, listActivePeople } from "#domain/directory/people.js";
import { admitForm, finishForm } from "../gate/admit-form.js";
import { AccessPage } from "./access-page.js";
import { letIn, listAdministrators, takeOut } from "#domain/accounts/rights.js";
import { readForm, readId } from "../frame/form-body.js";
import { frameOf } from "../frame/shell.js";
import type { SettingsOptions } from "../session/site-options.js";

/** GET /settings/access: who may use the site. */
export async function showAccess(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { portalId } = visit.portal;
  const [administrators, people] = await Promise.all([
    listAdministrators(options.database.pool, portalId),
    listActivePeople(options.database.pool, portalId),
  ]);
  const admitted = new Set(administrators.map(({ userId }) => userId));
  const others = { ...people, people: people.people.filter(({ userId }) => !admitted.has(userId)) };
  const { userList } = visit;
  const frame = frameOf(options, visit, { request, response });
  sendPage(response, 200, <AccessPage {...{ frame, administrators, others, userList }} />);
}

/** POST /settings/access/let-in */
export async function letSomebodyIn(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { pool } = options.database;
  const { session } = visit;
  const userId = readId(readForm(request).text("user_id"));
  const person = userId === undefined ? undefined : await findActivePerson(pool, session.portalId, userId);
  if (
    person === undefined ||
    !(await letIn(pool, session, { userId: person.userId, label: fullLabel(person) }))
  )
    return finishForm(options, response, "admin-unknown");
  finishForm(options, response, "admin-let-in");
}

/** POST /settings/access/take-out */
export async function takeSomebodyOut(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const { pool } = options.database;
  const { session } = visit;
  const person = find(await listAdministrators(pool, session.portalId), request);
  if (person !== undefined && person.userId === session.userId)
    return finishForm(options, response, "admin-yourself");
  if (person === undefined || !(await takeOut(pool, session, person)))
    return finishForm(options, response, "admin-unknown");
  finishForm(options, response, "admin-taken-out");
}

/** The person a form names, if they are among those it may name. */
function find<Person extends { readonly userId: bigint }>(
  people: readonly Person[],
  request: Request,
): Person | undefined {
  const given = (request.body as Record<string, unknown> | undefined)?.["user_id"];
  return people.find(({ userId }) => userId.toString() === given);
}
