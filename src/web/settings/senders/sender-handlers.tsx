import { randomUUID } from "node:crypto";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { sendPage } from "#web/kit/page.js";
import { readSenderImpact, readSentByDay } from "#domain/history/attention/sender-impact.js";
import { readSenderPlaces } from "#domain/policy/sender-places.js";
import { DAY_MS } from "#platform/time/units.js";
import { knownZone } from "../words/format.js";
import { IMPACT_DAYS } from "./sender-impact.js";
import { findPortalPolicy, savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import { markSenders, type MarkConflict } from "#domain/policy/mark-senders.js";
import {
  clearRefusal,
  findSender,
  saveSender,
  senderSnapshot,
  type NamedSender,
} from "#domain/policy/sender-store.js";
import { listRecentSenders, nameApproved } from "#domain/policy/approved-senders.js";
import { findPeopleByIds } from "#domain/directory/people.js";
import { frameOf } from "../frame/shell.js";
import { describeChanges, type Change } from "../words/changes.js";
import { savedSender } from "./saved-words.js";
import { SenderPage, type SenderModel } from "./sender-page.js";
import { SENDERS_PATH, sendersHref } from "./senders-address.js";
import { SendersPage, type SendersModel } from "./senders-page.js";
import { LIST_DAYS } from "./senders-table.js";
import {
  findSenderItem,
  listSenders,
  SENDERS_PER_PAGE,
  type SenderFilter,
  type SenderItem,
} from "#domain/policy/sender-list.js";
import { hubspotUrlOf } from "../words/paths.js";
import { lookAgain } from "../frame/look-again.js";
import { sendMissing, statusOf, finishForm } from "../frame/form-answers.js";
import { readFields, readId, type FormFields } from "#web/kit/form-fields.js";
import { actorOf } from "../session/visit.js";
import { editedAway, parseSenderEntry, readSenderEntry, senderEntryOf } from "./sender-entry.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { submitVersioned } from "../frame/versioned-form.js";

/** `GET /settings/senders?search=…&show=troubled&sort=sent&page=2` */
export async function showSenders(exchange: Exchange): Promise<void> {
  await sendSenders(exchange, { filter: readFilter(readFields(exchange.request.query)) });
}

async function sendSenders(
  exchange: Exchange,
  list: Pick<SendersModel, "filter" | "ticked" | "conflict" | "nobodyApproved">,
): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId } = visit.session;
  const { pool } = options.database;
  const [senders, stored] = await Promise.all([
    listSenders(pool, portalId, list.filter),
    findPortalPolicy(options.database, portalId),
  ]);
  const userIds = senders.items.map(({ userId }) => userId);
  const timeZone = knownZone(visit.portal.timeZone);
  const sent = await readSentByDay(pool, portalId, { userIds, days: LIST_DAYS, timeZone });
  const model = { frame: frameOf(exchange), senders, stored, sent, now: options.now(), ...list };
  const isRefused = list.nobodyApproved !== undefined;
  sendPage(response, list.conflict !== undefined ? 409 : isRefused ? 422 : 200, <SendersPage {...model} />);
}

/** `POST /settings/senders`: approves or blocks the selected users, or leaves them to the account's rule. */
export async function changeMarks(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const filter = readFilter(form);
  const to = sendersHref(filter);
  const ticked = new Set(form.texts("user").slice(0, SENDERS_PER_PAGE));
  const userIds = [...ticked].map(readId).filter((userId) => userId !== undefined);
  const people = await findPeopleByIds(database.pool, portalId, userIds);
  const senders = [...people.values()].map(({ userId, label: name }) => ({
    userId,
    name,
    version: form.version(`version_${userId}`),
  }));
  const mark = MARKS.get(form.text("mark"));
  if (senders.length === 0 || mark === undefined) return finishForm(exchange, "senders-not-chosen", to);
  const undoKey = randomUUID();
  const conflicts = await markSenders(database, actorOf(visit), { senders, isAllowed: mark, undoKey });
  if (conflicts.length > 0) {
    const conflict = conflicts.map((one) => told(one, mark));
    return sendSenders(exchange, { filter, ticked, conflict });
  }
  await lookAgain(options, portalId);
  finishForm(exchange, { name: "senders-marked", about: "", undoKey }, to);
}

/** The list's place, as it stands in the address and again in the form below it. */
function readFilter(fields: FormFields): SenderFilter {
  const page = Number(readId(fields.text("page")) ?? 1n);
  return {
    search: fields.text("search"),
    onlyTroubled: fields.text("show") === "troubled",
    sort: SORTS.find((sort) => sort === fields.text("sort")) ?? "name",
    page: Math.min(Math.max(1, page), LAST_PAGE),
  };
}

const SORTS = ["name", "sent", "status"] as const;

/** Whatever an address says: an offset has to stay a number PostgreSQL takes. */
const LAST_PAGE = 1_000_000;

const MARKS = new Map<string, boolean | null>([
  ["allowed", true],
  ["not-allowed", false],
  ["default", null],
]);

function told({ sender, isAllowed }: MarkConflict, mark: boolean | null): Change {
  const words = (value: boolean | null): string =>
    value === null ? "Account default" : value ? "Approved" : "Blocked";
  return { label: sender.name, before: words(isAllowed), after: words(mark) };
}

/**
 * `POST /settings/senders/listing`: who can send, anyone or only approved users. As long as nobody is approved the page
 * asks first; `approve=recent` approves everyone who sent lately, and then does it.
 */
export async function changeListing(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const onlyListedSenders = form.text("only_listed") === "yes";
  if (onlyListedSenders && form.text("approve") === "recent") await approveRecent(exchange);
  const undoKey = randomUUID();
  const outcome = await savePortalPolicy(database, actorOf(visit), {
    policy: { onlyListedSenders },
    shown: { version: form.version() },
    undoKey,
  });
  if (outcome === "nobody-approved") {
    const recent = await listRecentSenders(database.pool, portalId);
    return sendSenders(exchange, { filter: readFilter(form), nobodyApproved: { recent: recent.length } });
  }
  if (outcome !== "saved") return finishForm(exchange, "settings-changed", SENDERS_PATH);
  await lookAgain(options, portalId);
  if (!onlyListedSenders) return finishForm(exchange, { name: "anyone-sends", about: "", undoKey });
  finishForm(exchange, {
    name: "approved-send",
    about: await nameApproved(database.pool, portalId),
    undoKey,
  });
}

async function approveRecent({ options: { database }, visit }: FormExchange): Promise<void> {
  const senders = await listRecentSenders(database.pool, visit.session.portalId);
  await markSenders(database, actorOf(visit), { senders, isAllowed: true });
}

/** `GET /settings/senders/:userId` */
export async function showSender(exchange: Exchange): Promise<void> {
  const { options, visit } = exchange;
  const item = await findItem(exchange);
  if (item === undefined) return sendNoSender(exchange);
  const { choices, marks, version } = await findSender(options.database, visit.session.portalId, item.userId);
  await sendForm(exchange, { item, marks, entry: senderEntryOf(choices), version, problems: {} });
}

/** `POST /settings/senders/:userId`: what cannot be saved comes back as it was typed. */
export async function changeSenderSettings(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { database } = options;
  const { portalId } = visit.session;
  const item = await findItem(exchange);
  if (item === undefined) return sendNoSender(exchange);
  const find = () => findSender(database, portalId, item.userId);
  const entry = readSenderEntry(form);
  const before = await find();
  const away = editedAway(form);
  if (away !== undefined) {
    const state = { entry: { ...entry, away }, version: form.version(), problems: {} };
    return sendForm(exchange, { item, marks: before.marks, ...state, isUnsaved: true });
  }
  await submitVersioned(exchange, {
    entry,
    parsed: parseSenderEntry(entry),
    save: async (choices, version) => {
      const undoKey = randomUUID();
      const change = { sender: namedSender(item), choices, version, undoKey };
      const outcome = await saveSender(database, actorOf(visit), change);
      if (outcome === "changed-meanwhile") return outcome;
      await lookAgain(options, portalId, item.userId);
      const name = outcome === "saved" ? "sender-settings-saved" : "sender-saved-refusal-cleared";
      const about = savedSender(item.label, before.choices, choices);
      return { notice: { name, about, undoKey }, path: `${SENDERS_PATH}/${item.userId}` };
    },
    find,
    compare: ({ choices }, draft) =>
      describeChanges(senderSnapshot(choices), senderSnapshot(draft), NO_NAMES),
    show: async (state) => sendForm(exchange, { item, marks: (await find()).marks, ...state }),
  });
}

/** `POST /settings/senders/:userId/clear`: forgets HubSpot's refusal. */
export async function clearSender(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  const { portalId } = visit.session;
  const item = await findItem(exchange);
  if (item === undefined) return sendNoSender(exchange);
  await clearRefusal(options.database, actorOf(visit), namedSender(item));
  await lookAgain(options, portalId, item.userId);
  finishForm(exchange, "refusal-cleared");
}

/** Days of the chart on a sender's page. */
const CHART_DAYS = 30;

const NO_NAMES = { people: new Map(), rotations: new Map() };

async function sendForm(
  exchange: Exchange,
  model: Omit<SenderModel, "frame" | "uses" | "facts" | "hubspotUrl" | "impact" | "places" | "sentByDay">,
): Promise<void> {
  const { database, now } = exchange.options;
  const { portalId } = exchange.visit.session;
  const { userId } = model.item;
  const since = new Date(now().getTime() - IMPACT_DAYS * DAY_MS);
  const timeZone = knownZone(exchange.visit.portal.timeZone);
  const [uses, { policy }, impact, places, sent] = await Promise.all([
    readFlowUses(database.pool, portalId),
    findPortalPolicy(database, portalId),
    readSenderImpact(database.pool, portalId, { userId, since }),
    readSenderPlaces(database.pool, portalId, userId),
    readSentByDay(database.pool, portalId, { userIds: [userId], days: CHART_DAYS, timeZone }),
  ]);
  const sentByDay = sent.get(String(userId)) ?? [];
  const frame = frameOf(exchange);
  const facts = { onlyListed: policy.onlyListedSenders, now: now(), format: frame.format };
  const hubspotUrl = hubspotUrlOf(exchange.visit.portal, exchange.options.appUrl);
  const page = (
    <SenderPage
      frame={frame}
      uses={uses}
      facts={facts}
      hubspotUrl={hubspotUrl}
      impact={impact}
      places={places}
      sentByDay={sentByDay}
      {...model}
    />
  );
  sendPage(exchange.response, statusOf(model), page);
}

async function findItem({ options, visit, request }: Exchange): Promise<SenderItem | undefined> {
  const userId = readId(request.params["userId"]);
  if (userId === undefined) return undefined;
  return findSenderItem(options.database.pool, visit.session.portalId, userId);
}

function namedSender({ userId, label }: SenderItem): NamedSender {
  return { userId, name: label };
}

function sendNoSender(exchange: Exchange): void {
  sendMissing(exchange, { what: "sender", back: { href: SENDERS_PATH, label: "All senders" } });
}
