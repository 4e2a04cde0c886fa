import { sendPart } from "../session/view-only.js";
import { listViews } from "#domain/history/search/saved-views.js";
import { listBulkJobs } from "#domain/history/bulk-jobs.js";
import { sendPage } from "#web/kit/page.js";
import { presentOf, type Exchange } from "../frame/exchange.js";
import { createFormat, knownZone } from "../words/format.js";
import { recordExport } from "#domain/audit/record-change.js";
import { digestOf } from "../frame/renewal.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { addressWith, readPosition } from "#domain/history/activity-query.js";
import { readFilterChoices } from "./choices.js";
import { searchExecutions } from "#domain/history/execution-search.js";
import { sendExport } from "./export.js";
import { ExecutionList, ListPage, type ListModel } from "./list-page.js";
import { ACTIVITY_PATH, hubspotUrlOf } from "../words/paths.js";
import { readListQuery, readQuery } from "./activity-entry.js";

const PAGE_SIZE = 25;
const JOBS_SHOWN = 20;

export async function showList(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const shorter = withoutEmpty(request.query);
  if (shorter !== undefined) return response.redirect(303, addressWith(ACTIVITY_PATH, {}, shorter));
  const { pool } = options.database;
  const { portalId } = visit.portal;
  const { given } = readListQuery(exchange);
  const [list, counts, choices, jobs, views] = await Promise.all([
    readList(exchange),
    readCounts(exchange),
    readFilterChoices(pool, portalId, given),
    listBulkJobs(pool, portalId, JOBS_SHOWN),
    listViews(pool, portalId),
  ]);
  const model = {
    ...list,
    frame: frameOf(exchange),
    counts,
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

/** What each tab holds: of the filter all but what the tabs choose themselves. */
async function readCounts(exchange: Exchange) {
  const { kind: _kind, outcome: _outcome, ...filter } = readListQuery(exchange).filter;
  const { options, visit } = exchange;
  const search = await searchExecutions(options.database.pool, visit.portal.portalId, filter);
  return search.countKinds();
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
