import { Router, type Request, type Response } from "express";
import { ADMIN_ACTIONS, type AdminAction } from "#domain/history/admin-actions.js";
import { findBulkJob, listBulkJobs } from "#domain/history/bulk-jobs.js";
import { sendFragment, sendPage } from "#web/kit/page.js";
import { admitPage, admitPart } from "../gate/admit-page.js";
import { admitForm, formBody } from "../gate/admit-form.js";
import { createFormat, knownZone } from "../words/format.js";
import { hubspotUrlOf } from "../overview/overview-view.js";
import { answersOf } from "../frame/answer.js";
import { recordExport } from "#domain/audit/record-change.js";
import { digestOf } from "../frame/renewal.js";
import { frameOf } from "../frame/shell.js";
import type { SettingsOptions } from "../session/site-options.js";
import type { AdminVisit } from "../session/visit.js";
import { actOnMany, actOnOne, stopJob } from "./act.js";
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
  const body = formBody(options);
  const { page: answer, file } = answersOf(options);
  router.get(ACTIVITY_PATH, answer(showList));
  router.get(LATEST_PATH, answer(showLatest));
  router.get(EXPORT_PATH, file(exportAll));
  router.get(BULK_PATH, answer(askBeforeBulk));
  router.post(BULK_PATH, body, answer(startBulk));
  router.get(`${BULK_PATH}/:id`, answer(showJob));
  router.get(`${BULK_PATH}/:id/progress`, answer(showProgress));
  router.post(`${BULK_PATH}/:id/stop`, body, answer(stopBulk));
  router.get(`${ACTIVITY_PATH}/:id`, answer(showStory));
  router.get(`${ACTIVITY_PATH}/:id/story`, answer(showTale));
  router.post(`${ACTIVITY_PATH}/:id/:action`, body, answer(act));
  return router;
}

const PAGE_SIZE = 25;
const JOBS_SHOWN = 20;

async function showList(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { pool } = options.database;
  const { portalId } = visit.portal;
  const [list, choices, jobs] = await Promise.all([
    readList(options, visit, request),
    readFilterChoices(pool, portalId),
    listBulkJobs(pool, portalId, JOBS_SHOWN),
  ]);
  const running = jobs.filter(({ state }) => state === "RUNNING");
  sendPage(
    response,
    200,
    <ListPage
      {...list}
      frame={frameOf(options, visit, { request, response })}
      choices={choices}
      jobs={running}
    />,
  );
}

async function showLatest(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPart(options, request, response);
  if (visit === undefined) return;
  const list = await readList(options, visit, request);
  if (request.query["seen"] === digestOf(list.page)) return void response.status(204).end();
  sendFragment(response, <ExecutionList {...list} />);
}

async function readList(
  options: SettingsOptions,
  { portal }: AdminVisit,
  request: Request,
): Promise<ListModel> {
  const { portalId } = portal;
  const query = readQuery(options, portal, request.query);
  const position = readPosition(request);
  const search = await searchExecutions(options.database.pool, portalId, query.filter);
  const page = await search.read(position, PAGE_SIZE);
  const hubspotUrl = hubspotUrlOf(portal, options.appUrl);
  const format = createFormat(portal.timeZone);
  return { query, position, page, portalId, hubspotUrl, format, now: options.now() };
}

function readQuery(
  { now }: SettingsOptions,
  { timeZone }: AdminVisit["portal"],
  given: Readonly<Record<string, unknown>>,
): ActivityQuery {
  return readActivityQuery(given, { now: now(), timeZone: knownZone(timeZone) });
}

async function exportAll(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { portalId, timeZone } = visit.portal;
  const { filter } = readQuery(options, visit.portal, request.query);
  const search = await searchExecutions(options.database.pool, portalId, filter);
  const zone = { timeZone: knownZone(timeZone), now: options.now() };
  const record = <Row,>(rows: AsyncIterable<Row>) =>
    recordExport(options.database.pool, { by: visit.session, subjectName: "Activity" }, rows);
  await sendExport(response, { search, portalId, ...zone, record });
}

/** What is said once an action was asked for, by the address's `done`; nothing from outside is shown. */
const NOTICES: Readonly<Record<string, { tone: "good" | "bad"; text: string }>> = {
  cancel: { tone: "good", text: "Cancelled. The workflow is told, and goes on." },
  retry: { tone: "good", text: "The contact is tried once more. The new execution is listed below." },
  try_now: { tone: "good", text: "It is being looked at now." },
  late: {
    tone: "bad",
    text: "Nothing was changed: it moved on in the meantime, or is being worked on right now. Below is how it stands.",
  },
};

async function showStory(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { portal } = visit;
  const id = readId(request);
  const story = id === undefined ? undefined : await readStory(options.database.pool, portal.portalId, id);
  if (story === undefined)
    return sendPage(response, 404, <MissingPage frame={frameOf(options, visit, { request, response })} />);
  const { done } = request.query;
  const notice = typeof done === "string" && Object.hasOwn(NOTICES, done) ? NOTICES[done] : undefined;
  const model = {
    ...{ story, notice, portalId: portal.portalId, now: options.now() },
    hubspotUrl: hubspotUrlOf(portal, options.appUrl),
    format: createFormat(portal.timeZone),
  };
  sendPage(response, 200, <StoryPage {...model} frame={frameOf(options, visit, { request, response })} />);
}

async function showTale(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPart(options, request, response);
  if (visit === undefined) return;
  const { portal, session } = visit;
  const id = readId(request);
  const story = id === undefined ? undefined : await readStory(options.database.pool, portal.portalId, id);
  if (story === undefined) return void response.status(404).end();
  if (request.query["seen"] === digestOf(story)) return void response.status(204).end();
  const model = {
    ...{ story, portalId: portal.portalId, now: options.now() },
    hubspotUrl: hubspotUrlOf(portal, options.appUrl),
    format: createFormat(portal.timeZone),
    formToken: options.sessions.formToken(session),
  };
  sendFragment(response, <Story {...model} />);
}

async function act(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const [id, action] = [readId(request), readAction(request.params["action"])];
  if (id === undefined || action === undefined)
    return sendPage(response, 404, <MissingPage frame={frameOf(options, visit, { request, response })} />);
  const isDone = await actOnOne(options.database.pool, visit.session, { action, id });
  if (isDone) options.wake(visit.portal.portalId);
  response.redirect(303, `${storyPath(id)}?done=${isDone ? action.toLowerCase() : "late"}`);
}

async function askBeforeBulk(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const action = readAction(request.query["action"]);
  if (action === undefined) return response.redirect(303, ACTIVITY_PATH);
  const { portalId, timeZone } = visit.portal;
  const query = readQuery(options, visit.portal, request.query);
  const frame = frameOf(options, visit, { request, response });
  if (query.ignored.length > 0)
    return sendPage(response, 422, <BulkRefusedPage {...{ action, query, frame }} />);
  const preview = await previewBulk(options.database.pool, portalId, { action, filter: query.filter });
  const model = { action, query, preview, format: createFormat(timeZone) };
  sendPage(response, 200, <ConfirmPage {...model} frame={frame} />);
}

async function startBulk(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const fields = request.body as Record<string, unknown>;
  const action = readAction(fields["action"]);
  if (action === undefined) return response.redirect(303, ACTIVITY_PATH);
  const query = readQuery(options, visit.portal, fields);
  const frame = frameOf(options, visit, { request, response });
  // A field that is not understood would widen what is done: nothing is done then.
  if (query.ignored.length > 0)
    return sendPage(response, 422, <BulkRefusedPage {...{ action, query, frame }} />);
  const creation = await actOnMany(options.database.pool, visit.session, { action, query });
  if (creation.kind === "created") return response.redirect(303, jobPath(creation.id));
  sendPage(response, 409, <BulkRefusedPage {...{ action, query, frame }} refusal={creation} />);
}

async function showJob(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const job = await findJob(options, visit, request);
  if (job === undefined)
    return sendPage(
      response,
      404,
      <MissingPage what="bulk job" frame={frameOf(options, visit, { request, response })} />,
    );
  const format = createFormat(visit.portal.timeZone);
  sendPage(
    response,
    200,
    <JobPage job={job} format={format} frame={frameOf(options, visit, { request, response })} />,
  );
}

async function showProgress(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitPart(options, request, response);
  if (visit === undefined) return;
  const job = await findJob(options, visit, request);
  if (job === undefined) return void response.status(404).end();
  const format = createFormat(visit.portal.timeZone);
  const formToken = options.sessions.formToken(visit.session);
  sendFragment(response, <JobProgress job={job} format={format} formToken={formToken} />);
}

async function stopBulk(options: SettingsOptions, request: Request, response: Response): Promise<void> {
  const visit = await admitForm(options, request, response);
  if (visit === undefined) return;
  const id = readId(request);
  if (id === undefined) return response.redirect(303, ACTIVITY_PATH);
  await stopJob(options.database.pool, visit.session, id);
  response.redirect(303, jobPath(id));
}

async function findJob({ database }: SettingsOptions, { portal }: AdminVisit, request: Request) {
  const id = readId(request);
  return id === undefined ? undefined : findBulkJob(database.pool, portal.portalId, id);
}

function readId({ params }: Request): bigint | undefined {
  const id = params["id"];
  return typeof id === "string" && /^\d{1,18}$/.test(id) ? BigInt(id) : undefined;
}

/** `cancel`, `retry` or `try_now`. */
function readAction(value: unknown): AdminAction | undefined {
  return ADMIN_ACTIONS.find((action) => action.toLowerCase() === value);
}
