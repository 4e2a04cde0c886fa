import { sendPart } from "../../session/view-only.js";
import { findBulkJob, startBulkJob, stopBulkJob, type BulkJob } from "#domain/history/bulk-jobs.js";
import { readId } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../../frame/exchange.js";
import { createFormat } from "../../words/format.js";
import { finishForm } from "../../frame/form-answers.js";
import { frameOf } from "../../frame/shell.js";
import { actorOf } from "../../session/visit.js";
import { BulkRefusedPage } from "./bulk-refused-page.js";
import { addressWith, givenBy, type ActivityQuery } from "#domain/history/activity-query.js";
import { searchExecutions } from "#domain/history/execution-search.js";
import type { ActivityTotals } from "#domain/history/search/activity-totals.js";
import { ConfirmPage, JobPage, JobProgress, retriedBy } from "./bulk-pages.js";
import { previewBulk } from "#domain/history/bulk-preview.js";
import { MissingPage } from "../frame.js";
import { ACTIVITY_PATH, jobPath } from "../../words/paths.js";
import { readAction, readQuery } from "../activity-entry.js";
import { namesOf, readFilterChoices } from "../choices.js";
import type { FilterNames } from "../../words/activity-words.js";

export async function askBeforeBulk(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const action = readAction(request.query["action"]);
  if (action === undefined) return response.redirect(303, ACTIVITY_PATH);
  const { portalId } = visit.portal;
  const picked = readPicked(request.query["pick"]);
  if (picked?.length === 0) {
    const { given } = readQuery(exchange, request.query);
    return finishForm(exchange, "contacts-not-chosen", addressWith(ACTIVITY_PATH, given));
  }
  const ids = picked === undefined ? {} : { ids: picked.join(",") };
  const query = readQuery(exchange, { ...request.query, ...ids });
  const frame = frameOf(exchange);
  const model = { action, query, frame };
  if (query.ignored.length > 0) return sendPage(response, 422, <BulkRefusedPage {...model} />);
  const preview = await previewBulk(options.database.pool, portalId, { action, filter: query.filter });
  const names = await readNames(exchange, query.given);
  sendPage(response, 200, <ConfirmPage {...model} names={names} preview={preview} format={frame.format} />);
}

export async function startBulk(exchange: FormExchange): Promise<void> {
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

export async function showJob(exchange: Exchange): Promise<void> {
  const { response } = exchange;
  const job = await findJob(exchange);
  const frame = frameOf(exchange);
  if (job === undefined) return sendPage(response, 404, <MissingPage what="bulk action" frame={frame} />);
  const results = await resultsOf(exchange, job);
  const names = await readNames(exchange, job.filter === null ? {} : givenBy(job.filter));
  sendPage(
    response,
    200,
    <JobPage job={job} results={results} names={names} frame={frame} format={frame.format} />,
  );
}

export async function showProgress(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const job = await findJob(exchange);
  if (job === undefined) return void response.status(404).end();
  const format = createFormat(visit.portal.timeZone, options.now());
  const formToken = options.sessions.formToken(visit.session);
  const results = await resultsOf(exchange, job);
  sendPart(exchange, <JobProgress job={job} results={results} format={format} formToken={formToken} />);
}

export async function stopBulk({ options, visit, request, response }: FormExchange): Promise<void> {
  const id = readId(request.params["id"]);
  if (id === undefined) return response.redirect(303, ACTIVITY_PATH);
  await stopBulkJob(options.database.pool, actorOf(visit), id);
  response.redirect(303, jobPath(id));
}

/** The rows that were ticked; undefined: the question is about everything that the filter finds. */
function readPicked(pick: unknown): string[] | undefined {
  if (pick === undefined) return undefined;
  return (Array.isArray(pick) ? pick : [pick]).filter(
    (one): one is string => typeof one === "string" && one !== "",
  );
}

/** What became of those that a job retried; undefined: it retried none. */
async function resultsOf(exchange: Exchange, job: BulkJob): Promise<ActivityTotals | undefined> {
  if (job.action !== "RETRY" || job.changed === 0) return undefined;
  const { options, visit } = exchange;
  const { filter } = readQuery(exchange, retriedBy(job));
  return (await searchExecutions(options.database.pool, visit.portal.portalId, filter)).count();
}

/** What the ids in a filter are called. */
async function readNames({ options, visit }: Exchange, given: ActivityQuery["given"]): Promise<FilterNames> {
  return namesOf(await readFilterChoices(options.database.pool, visit.portal.portalId, given));
}

async function findJob({ options, visit, request }: Exchange) {
  const id = readId(request.params["id"]);
  return id === undefined ? undefined : findBulkJob(options.database.pool, visit.portal.portalId, id);
}
