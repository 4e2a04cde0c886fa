import { Router } from "express";
import { ADMIN_ACTIONS, type AdminAction } from "#domain/history/admin-actions.js";
import { findBulkJob, listBulkJobs, startBulkJob, stopBulkJob } from "#domain/history/bulk-jobs.js";
import { readId } from "#web/kit/form-fields.js";
import { sendFragment, sendPage } from "#web/kit/page.js";
import { handlersOf } from "../gate/handlers.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { createFormat, knownZone } from "../words/format.js";
import { hubspotUrlOf } from "../overview/overview-view.js";
import { recordExport } from "#domain/audit/record-change.js";
import { digestOf } from "../frame/renewal.js";
import { frameOf } from "../frame/shell.js";
import type { SettingsOptions } from "../session/site-options.js";
import { actorOf } from "../session/visit.js";
import { actOnExecution } from "#domain/history/act-on-execution.js";
import { readActivityQuery, readPosition, type ActivityQuery } from "#domain/history/activity-query.js";
import { BulkRefusedPage } from "./bulk-refused-page.js";
import { ConfirmPage, JobPage, JobProgress } from "./bulk-pages.js";
import { previewBulk } from "#domain/history/bulk-preview.js";
import { readFilterChoices } from "./choices.js";
import { searchExecutions } from "#domain/history/execution-search.js";
import { readStory } from "#domain/history/execution-story.js";
import { sendExport } from "./export.js";
import { ExecutionList, ListPage, type ListModel } from "./list-page.js";
import { MissingPage } from "./missing-page.js";
import { ACTIVITY_PATH, BULK_PATH, EXPORT_PATH, jobPath, LATEST_PATH, storyPath } from "../words/paths.js";
import { Story, StoryPage } from "./story-page.js";

/**
 * Every execution of the portal, what happened to each, and what an admin can do about it.
 *
 * | route under /settings/activity | |
 * | --- | --- |
 * | GET / , /latest | the list by filter, newest first; the part of it that renews itself |
 * | GET /export.csv | the same as a file |
 * | GET /:id, /:id/story, POST /:id/{cancel,retry,try_now} | one execution's story, the part of it that renews itself, and what can be done to it |
 * | GET and POST /bulk | the question before it is done to all that match, and the answer yes |
 * | GET /bulk/:id, /bulk/:id/progress, POST /bulk/:id/stop | how far a bulk job is |
 */
export function createActivityRouter(options: SettingsOptions): Router {
  const router = Router();
  const { page, part, file, form } = handlersOf(options);
  router.get(ACTIVITY_PATH, page(showList));
  router.get(LATEST_PATH, part(showLatest));
  router.get(EXPORT_PATH, file(exportAll));
  router.get(BULK_PATH, page(askBeforeBulk));
  router.post(BULK_PATH, form(startBulk));
  router.get(`${BULK_PATH}/:id`, page(showJob));
  router.get(`${BULK_PATH}/:id/progress`, part(showProgress));
  router.post(`${BULK_PATH}/:id/stop`, form(stopBulk));
  router.get(`${ACTIVITY_PATH}/:id`, page(showStory));
  router.get(`${ACTIVITY_PATH}/:id/story`, part(showStoryPart));
  router.post(`${ACTIVITY_PATH}/:id/:action`, form(act));
  return router;
}

const PAGE_SIZE = 25;
const JOBS_SHOWN = 20;

async function showList(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { pool } = options.database;
  const { portalId } = visit.portal;
  const [list, choices, jobs] = await Promise.all([
    readList(exchange),
    readFilterChoices(pool, portalId),
    listBulkJobs(pool, portalId, JOBS_SHOWN),
  ]);
  const model = {
    ...list,
    frame: frameOf(exchange),
    choices,
    jobs: jobs.filter(({ state }) => state === "RUNNING"),
  };
  sendPage(response, 200, <ListPage {...model} />);
}

async function showLatest(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const list = await readList(exchange);
  if (request.query["seen"] === digestOf(list.page)) return void response.status(204).end();
  sendFragment(response, <ExecutionList {...list} />);
}

async function readList(exchange: Exchange): Promise<ListModel> {
  const { options, visit, request } = exchange;
  const { portal } = visit;
  const { portalId } = portal;
  const query = readQuery(exchange, request.query);
  const position = readPosition(request);
  const search = await searchExecutions(options.database.pool, portalId, query.filter);
  const page = await search.read(position, PAGE_SIZE);
  const hubspotUrl = hubspotUrlOf(portal, options.appUrl);
  const format = createFormat(portal.timeZone);
  return { query, position, page, portalId, hubspotUrl, format, now: options.now() };
}

function readQuery({ options, visit }: Exchange, given: Readonly<Record<string, unknown>>): ActivityQuery {
  return readActivityQuery(given, { now: options.now(), timeZone: knownZone(visit.portal.timeZone) });
}

async function exportAll(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { pool } = options.database;
  const { portalId, timeZone } = visit.portal;
  const { filter } = readQuery(exchange, request.query);
  const search = await searchExecutions(pool, portalId, filter);
  const record = <Row,>(rows: AsyncIterable<Row>) =>
    recordExport(pool, actorOf(visit), { subjectName: "Activity", rows });
  const zone = { timeZone: knownZone(timeZone), now: options.now() };
  await sendExport(response, { search, portalId, ...zone, record });
}

/** What is said once an action was asked for, by the address's `done`; nothing from outside is shown. */
const NOTICES: Readonly<Record<string, { tone: "good" | "bad"; text: string }>> = {
  cancel: { tone: "good", text: "Canceled. The workflow is told, and goes on." },
  retry: { tone: "good", text: "The contact is tried once more. The new execution is listed below." },
  try_now: { tone: "good", text: "It is being looked at now." },
  late: {
    tone: "bad",
    text: "Nothing was changed: it moved on in the meantime, or is being worked on right now. Below is how it stands.",
  },
};

async function showStory(exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  const model = await findStory(exchange);
  if (model === undefined) return sendMissing(exchange, "execution");
  const { done } = request.query;
  const notice = typeof done === "string" && Object.hasOwn(NOTICES, done) ? NOTICES[done] : undefined;
  sendPage(response, 200, <StoryPage {...model} notice={notice} frame={frameOf(exchange)} />);
}

async function showStoryPart(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const model = await findStory(exchange);
  if (model === undefined) return void response.status(404).end();
  if (request.query["seen"] === digestOf(model.story)) return void response.status(204).end();
  sendFragment(response, <Story {...model} formToken={options.sessions.formToken(visit.session)} />);
}

async function findStory({ options, visit: { portal }, request }: Exchange) {
  const { portalId } = portal;
  const id = readId(request.params["id"]);
  const story = id === undefined ? undefined : await readStory(options.database.pool, portalId, id);
  if (story === undefined) return undefined;
  return {
    story,
    portalId,
    now: options.now(),
    hubspotUrl: hubspotUrlOf(portal, options.appUrl),
    format: createFormat(portal.timeZone),
  };
}

async function act(exchange: FormExchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { id: execution, action: name } = request.params;
  const [id, action] = [readId(execution), readAction(name)];
  if (id === undefined || action === undefined) return sendMissing(exchange, "execution");
  const isDone = await actOnExecution(options.database.pool, actorOf(visit), { action, id });
  if (isDone) options.wake(visit.portal.portalId);
  response.redirect(303, `${storyPath(id)}?done=${isDone ? action.toLowerCase() : "late"}`);
}

async function askBeforeBulk(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const action = readAction(request.query["action"]);
  if (action === undefined) return response.redirect(303, ACTIVITY_PATH);
  const { portalId } = visit.portal;
  const query = readQuery(exchange, request.query);
  const frame = frameOf(exchange);
  const model = { action, query, frame };
  if (query.ignored.length > 0) return sendPage(response, 422, <BulkRefusedPage {...model} />);
  const preview = await previewBulk(options.database.pool, portalId, { action, filter: query.filter });
  sendPage(response, 200, <ConfirmPage {...model} preview={preview} format={frame.format} />);
}

async function startBulk(exchange: FormExchange): Promise<void> {
  const { options, visit, form, response } = exchange;
  const action = readAction(form.text("action"));
  if (action === undefined) return response.redirect(303, ACTIVITY_PATH);
  const query = readQuery(exchange, form.given);
  const model = { action, query, frame: frameOf(exchange) };
  // A field that is not understood would widen what is done: nothing is done then.
  if (query.ignored.length > 0) return sendPage(response, 422, <BulkRefusedPage {...model} />);
  const job = { action, filter: query.filter };
  const creation = await startBulkJob(options.database.pool, actorOf(visit), job);
  if (creation.kind === "created") return response.redirect(303, jobPath(creation.id));
  sendPage(response, 409, <BulkRefusedPage {...model} refusal={creation} />);
}

async function showJob(exchange: Exchange): Promise<void> {
  const job = await findJob(exchange);
  if (job === undefined) return sendMissing(exchange, "bulk job");
  const frame = frameOf(exchange);
  sendPage(exchange.response, 200, <JobPage job={job} format={frame.format} frame={frame} />);
}

async function showProgress(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const job = await findJob(exchange);
  if (job === undefined) return void response.status(404).end();
  const format = createFormat(visit.portal.timeZone);
  const formToken = options.sessions.formToken(visit.session);
  sendFragment(response, <JobProgress job={job} format={format} formToken={formToken} />);
}

async function stopBulk({ options, visit, request, response }: FormExchange): Promise<void> {
  const id = readId(request.params["id"]);
  if (id === undefined) return response.redirect(303, ACTIVITY_PATH);
  await stopBulkJob(options.database.pool, actorOf(visit), id);
  response.redirect(303, jobPath(id));
}

async function findJob({ options, visit, request }: Exchange) {
  const id = readId(request.params["id"]);
  return id === undefined ? undefined : findBulkJob(options.database.pool, visit.portal.portalId, id);
}

function sendMissing(exchange: Exchange, what: "execution" | "bulk job"): void {
  sendPage(exchange.response, 404, <MissingPage what={what} frame={frameOf(exchange)} />);
}

/** `cancel`, `retry` or `try_now`. */
function readAction(value: unknown): AdminAction | undefined {
  return ADMIN_ACTIONS.find((action) => action.toLowerCase() === value);
}
