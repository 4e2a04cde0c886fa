import { sendPart } from "../session/view-only.js";
import { listViews } from "#domain/history/search/saved-views.js";
import { listBulkJobs } from "#domain/history/bulk-jobs.js";
import { readId } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { createFormat, knownZone } from "../words/format.js";
import { recordExport } from "#domain/audit/record-change.js";
import { digestOf } from "../frame/renewal.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { actOnExecution } from "#domain/history/act-on-execution.js";
import { addressWith, readPosition } from "#domain/history/activity-query.js";
import { namesOf, readFilterChoices } from "./choices.js";
import type { Present } from "#domain/history/shown-outcome.js";
import { searchExecutions } from "#domain/history/execution-search.js";
import { readStory } from "#domain/history/execution-story.js";
import { sendExport } from "./export.js";
import { ExecutionList, ListPage, type ListModel } from "./list-page.js";
import { MissingPage } from "./frame.js";
import { ACTIVITY_PATH, storyPath, hubspotUrlOf } from "../words/paths.js";
import { Story, StoryPage } from "./story-page.js";
import type { PlaceInList } from "./place-in-list.js";
import { readAction, readListQuery, readQuery } from "./activity-entry.js";

const PAGE_SIZE = 25;
const JOBS_SHOWN = 20;

export async function showList(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const shorter = withoutEmpty(request.query);
  if (shorter !== undefined) return response.redirect(303, addressWith(ACTIVITY_PATH, {}, shorter));
  const { pool } = options.database;
  const { portalId } = visit.portal;
  const [list, choices, jobs, views] = await Promise.all([
    readList(exchange),
    readFilterChoices(pool, portalId),
    listBulkJobs(pool, portalId, JOBS_SHOWN),
    listViews(pool, portalId),
  ]);
  const model = {
    ...list,
    frame: frameOf(exchange),
    choices,
    views,
    jobs: jobs.filter(({ state }) => state === "RUNNING"),
  };
  sendPage(response, 200, <ListPage {...model} />);
}

/** What a form's address holds, without the fields that were left empty: short enough to pass on. Undefined: it has none. */
function withoutEmpty(query: Exchange["request"]["query"]): Record<string, string> | undefined {
  const texts = Object.entries(query).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const filled = texts.filter(([, value]) => value.trim() !== "");
  const isAll = filled.length === Object.keys(query).length;
  return isAll || texts.length < Object.keys(query).length ? undefined : Object.fromEntries(filled);
}

export async function showLatest(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const list = await readList(exchange);
  if (request.query["seen"] === digestOf(list.page)) return void response.status(204).end();
  sendPart(exchange, <ExecutionList {...list} />);
}

async function readList(exchange: Exchange): Promise<ListModel> {
  const { options, visit, request } = exchange;
  const { portal } = visit;
  const { portalId } = portal;
  const query = readListQuery(exchange);
  const position = readPosition(request);
  const search = await searchExecutions(options.database.pool, portalId, query.filter);
  const [page, totals, missing] = await Promise.all([
    search.read(position, PAGE_SIZE),
    search.count(),
    search.missing(),
  ]);
  const found = { page, totals, missing, partsSince: search.partsSince };
  const hubspotUrl = hubspotUrlOf(portal, options.appUrl);
  const present = presentOf(exchange);
  const format = createFormat(portal.timeZone, present.now);
  const formToken = options.sessions.formToken(visit.session);
  return { query, position, ...found, portalId, hubspotUrl, formToken, format, present };
}

export async function exportAll(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { pool } = options.database;
  const { portalId, timeZone } = visit.portal;
  const { filter } = readQuery(exchange, request.query);
  const search = await searchExecutions(pool, portalId, filter);
  const record = <Row,>(rows: AsyncIterable<Row>) =>
    recordExport(pool, actorOf(visit), { subjectName: "Activity", rows });
  const zone = { timeZone: knownZone(timeZone), now: options.now() };
  const hubspotUrl = hubspotUrlOf(visit.portal, options.appUrl);
  await sendExport(response, { search, portalId, hubspotUrl, ...zone, record });
}

/** What is said once an action was asked for, by the address's `done`; nothing from outside is shown. */
const NOTICES: Readonly<Record<string, { tone: "good" | "bad"; text: string }>> = {
  cancel: { tone: "good", text: "Canceled. The workflow will continue." },
  retry: { tone: "good", text: "Retrying. The result appears below." },
  unenroll: {
    tone: "good",
    text: "The contact is being taken out of its sequence. HubSpot needs a minute or two.",
  },
  try_now: { tone: "good", text: "Trying now." },
  late: {
    tone: "bad",
    text: "Nothing changed. This contact is already being processed or is finished.",
  },
};

export async function showStory(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const model = await findStory(exchange);
  if (model === undefined) return sendMissing(exchange);
  const { done } = request.query;
  const notice = typeof done === "string" && Object.hasOwn(NOTICES, done) ? NOTICES[done] : undefined;
  const place = await findPlace(exchange, model.story.id);
  sendPage(response, 200, <StoryPage {...model} notice={notice} place={place} frame={frameOf(exchange)} />);
}

/** Where the story stands in the list that it was opened from; undefined: it was not opened from one. */
async function findPlace(exchange: Exchange, id: bigint): Promise<PlaceInList | undefined> {
  const { options, visit } = exchange;
  const { portalId } = visit.portal;
  const { pool } = options.database;
  const { filter, given } = readQuery(exchange, exchange.request.query);
  if (Object.keys(given).length === 0) return undefined;
  const search = await searchExecutions(pool, portalId, filter);
  const [newer, older, choices] = await Promise.all([
    search.read({ after: id }, 1),
    search.read({ before: id }, 1),
    readFilterChoices(pool, portalId),
  ]);
  return {
    given,
    names: namesOf(choices),
    newer: newer.items[0]?.id,
    older: older.items[0]?.id,
  };
}

export async function showStoryPart(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const model = await findStory(exchange);
  if (model === undefined) return void response.status(404).end();
  if (request.query["seen"] === digestOf(model.story)) return void response.status(204).end();
  sendPart(exchange, <Story {...model} formToken={options.sessions.formToken(visit.session)} />);
}

function presentOf({ options, visit }: Exchange): Present {
  return { now: options.now(), isPaused: visit.portal.pausedAt !== null };
}

async function findStory(exchange: Exchange) {
  const { options, visit, request } = exchange;
  const { portal } = visit;
  const { portalId } = portal;
  const id = readId(request.params["id"]);
  const story = id === undefined ? undefined : await readStory(options.database.pool, portalId, id);
  if (story === undefined) return undefined;
  return {
    story,
    portalId,
    present: presentOf(exchange),
    hubspotUrl: hubspotUrlOf(portal, options.appUrl),
    format: createFormat(portal.timeZone, options.now()),
  };
}

export async function act(exchange: FormExchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { id: execution, action: name } = request.params;
  const [id, action] = [readId(execution), readAction(name)];
  if (id === undefined || action === undefined) return sendMissing(exchange);
  const isDone = await actOnExecution(options.database.pool, actorOf(visit), { action, id });
  if (isDone) options.wake(visit.portal.portalId);
  response.redirect(303, `${storyPath(id)}?done=${isDone ? action.toLowerCase() : "late"}`);
}

function sendMissing(exchange: Exchange): void {
  sendPage(exchange.response, 404, <MissingPage what="record" frame={frameOf(exchange)} />);
}
