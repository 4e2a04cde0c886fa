import type { Request, Response } from "express";
import { sendPage } from "#web/kit/page.js";
import { findPortalPolicy, savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import {
  clearRefusal,
  findSender,
  markSenders,
  saveSender,
  snapshotOf,
  type MarkConflict,
  type NamedSender,
  type StoredSender,
} from "#domain/policy/sender-store.js";
import { findPeopleByIds } from "#domain/directory/people.js";
import { admitPage } from "../gate/admit-page.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges, type Change } from "../words/changes.js";
import { SenderPage } from "./sender-page.js";
import { SENDERS_PATH, sendersHref, SendersPage } from "./senders-page.js";
import {
  findSenderItem,
  listSenders,
  SENDERS_PER_PAGE,
  type SenderFilter,
  type SenderItem,
} from "./sender-list.js";
import { lookAgain } from "../frame/look-again.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { AdminVisit } from "../session/visit.js";
import { admitForm, leadOn } from "../gate/admit-form.js";
import { sendMissing, statusOf, type Exchange } from "../frame/form-answers.js";
import { actorOf, readFields, readForm, readId, type FormBody, type Problems } from "../frame/form-body.js";
import { parseSenderEntry, readSenderEntry, senderEntryOf, type SenderEntry } from "./sender-entry.js";

/** `GET /settings/senders?search=…&show=troubled&page=2` */
export async function showSenders(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const filter = readFilter(readFields(request.query));
  await sendSenders(options, { visit, exchange: { request, response } }, { filter });
}

async function sendSenders(
  options: SettingsOptions,
  { visit, exchange }: { visit: AdminVisit; exchange: Exchange },
  list: { filter: SenderFilter; ticked?: ReadonlySet<string>; conflict?: readonly Change[] },
): Promise<void> {
  const { portalId } = visit.session;
  const [senders, stored] = await Promise.all([
    listSenders(options.database.pool, portalId, list.filter),
    findPortalPolicy(options.database, portalId),
  ]);
  const frame = frameOf(options, visit, exchange);
  const status = list.conflict === undefined ? 200 : 409;
  sendPage(exchange.response, status, <SendersPage {...{ frame, senders, stored }} {...list} />);
}

/** `POST /settings/senders`: marks the ticked people as allowed, not allowed, or neither. */
export async function changeMarks(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const body = readForm(request);
  const filter = readFilter(body);
  const to = sendersHref(filter);
  const ticked = new Set(body.texts("user").slice(0, SENDERS_PER_PAGE));
  const userIds = [...ticked].map(readId).filter((userId) => userId !== undefined);
  const people = await findPeopleByIds(options.database.pool, visit.session.portalId, userIds);
  const senders = [...people.values()].map(({ userId, label: name }) => ({
    ...{ userId, name },
    version: body.version(`version_${userId}`),
  }));
  const mark = MARKS.get(body.text("mark"));
  if (senders.length === 0 || mark === undefined)
    return leadOn(options, response, { to, notice: "senders-not-chosen" });
  const { database } = options;
  const change = { senders, isAllowed: mark, by: actorOf(visit) };
  const conflicts = await markSenders(database, visit.session.portalId, change);
  if (conflicts.length > 0) {
    const page = { visit, exchange: { request, response } };
    return sendSenders(options, page, { filter, ticked, conflict: conflicts.map((one) => told(one, mark)) });
  }
  await lookAgain(options, visit.session.portalId);
  leadOn(options, response, { to, notice: "senders-marked" });
}

/** The list's place, as it stands in the address and again in the form below it. */
function readFilter(fields: FormBody): SenderFilter {
  const page = Number(readId(fields.text("page")) ?? 1n);
  return {
    search: fields.text("search"),
    onlyTroubled: fields.text("show") === "troubled",
    page: Math.min(Math.max(1, page), LAST_PAGE),
  };
}

/** Whatever an address says: an offset has to stay a number PostgreSQL takes. */
const LAST_PAGE = 1_000_000;

const MARKS = new Map<string, boolean | null>([
  ["allowed", true],
  ["not-allowed", false],
  ["default", null],
]);

function told({ sender, isAllowed }: MarkConflict, mark: boolean | null): Change {
  const words = (value: boolean | null): string =>
    value === null ? "As the account says" : value ? "Allowed" : "Not allowed";
  return { label: sender.name, before: words(isAllowed), after: words(mark) };
}

/** `POST /settings/senders/listing`: whether only people marked as allowed may send. */
export async function changeListing(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const body = readForm(request);
  const isSaved = await savePortalPolicy(options.database, visit.session.portalId, {
    policy: { onlyListedSenders: body.text("only_listed") === "yes" },
    version: body.version(),
    by: actorOf(visit),
  });
  if (isSaved) await lookAgain(options, visit.session.portalId);
  leadOn(options, response, { to: SENDERS_PATH, notice: isSaved ? "policy-saved" : "settings-changed" });
}

/** `GET /settings/senders/:userId` */
export async function showSender(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const item = await findItem(options, visit, request);
  if (item === undefined) return sendNoSender(options, { visit, exchange: { request, response } });
  const stored = await findSender(options.database, visit.session.portalId, item.userId);
  const entry = senderEntryOf(stored.choices);
  sendForm(options, { visit, exchange: { request, response } }, { item, stored, entry, problems: {} });
}

/** `POST /settings/senders/:userId`: what cannot be saved comes back as it was typed. */
export async function changeSenderSettings(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const item = await findItem(options, visit, request);
  if (item === undefined) return sendNoSender(options, { visit, exchange: { request, response } });
  const { database } = options;
  const { portalId } = visit.session;
  const form = { visit, exchange: { request, response } };
  const body = readForm(request);
  const version = body.version();
  const entry = readSenderEntry(body);
  const parsed = parseSenderEntry(entry);
  if ("problems" in parsed) {
    // The version stays the one the form began with: another admin's save in between still shows.
    const stored = { ...(await findSender(database, portalId, item.userId)), version };
    return sendForm(options, form, { item, stored, entry, problems: parsed.problems });
  }
  const { choices } = parsed;
  const sender = namedSender(item);
  const outcome = await saveSender(database, portalId, { sender, choices, version, by: actorOf(visit) });
  if (outcome !== "changed-meanwhile") {
    await lookAgain(options, portalId, item.userId);
    const notice = outcome === "saved" ? "sender-settings-saved" : "sender-saved-refusal-cleared";
    return leadOn(options, response, { to: SENDERS_PATH, notice });
  }
  const stored = await findSender(database, portalId, item.userId);
  const conflict = describeChanges(snapshotOf(stored.choices), snapshotOf(choices), NO_NAMES);
  sendForm(options, form, { item, stored, entry, problems: {}, conflict });
}

/** `POST /settings/senders/:userId/clear`: forgets HubSpot's refusal. */
export async function clearSender(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const item = await findItem(options, visit, request);
  if (item === undefined) return sendNoSender(options, { visit, exchange: { request, response } });
  const change = { sender: namedSender(item), by: actorOf(visit) };
  await clearRefusal(options.database, visit.session.portalId, change);
  await lookAgain(options, visit.session.portalId, item.userId);
  leadOn(options, response, { to: SENDERS_PATH, notice: "refusal-cleared" });
}

const NO_NAMES = { people: new Map(), rotations: new Map() };

interface SenderForm {
  item: SenderItem;
  stored: StoredSender;
  entry: SenderEntry;
  problems: Problems;
  conflict?: readonly Change[];
}

function sendForm(
  options: SettingsOptions,
  { visit, exchange }: { visit: AdminVisit; exchange: Exchange },
  form: SenderForm,
): void {
  const { problems, conflict } = form;
  const frame = frameOf(options, visit, exchange);
  sendPage(exchange.response, statusOf({ problems, conflict }), <SenderPage frame={frame} {...form} />);
}

function findItem(
  { database }: SettingsOptions,
  { session }: AdminVisit,
  { params }: Request,
): Promise<SenderItem | undefined> {
  const userId = readId(params["userId"]);
  if (userId === undefined) return Promise.resolve(undefined);
  return findSenderItem(database.pool, session.portalId, userId);
}

function namedSender({ userId, label }: SenderItem): NamedSender {
  return { userId, name: label };
}

function sendNoSender(options: SettingsOptions, page: { visit: AdminVisit; exchange: Exchange }): void {
  sendMissing(options, page, { what: "sender", back: { href: SENDERS_PATH, label: "All senders" } });
}
