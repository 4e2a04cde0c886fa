import { actOnExecution } from "#domain/history/act-on-execution.js";
import { readStory } from "#domain/history/execution-story.js";
import { searchExecutions } from "#domain/history/execution-search.js";
import { readId } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import { readAction, readQuery } from "../activity/activity-entry.js";
import { namesOf, readFilterChoices } from "../activity/choices.js";
import { MissingPage } from "../activity/frame.js";
import { presentOf, type Exchange, type FormExchange } from "../frame/exchange.js";
import { digestOf } from "../frame/renewal.js";
import { frameOf } from "../frame/shell.js";
import { sendPart } from "../session/view-only.js";
import { actorOf } from "../session/visit.js";
import { createFormat } from "../words/format.js";
import { hubspotUrlOf, storyPath } from "../words/paths.js";
import type { PlaceInList } from "./place-in-list.js";
import { Story, StoryPage } from "./story-page.js";

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
async function findPlace(exchange: Exchange, id: ExecutionId): Promise<PlaceInList | undefined> {
  const { options, visit } = exchange;
  const { portalId } = visit.portal;
  const { pool } = options.database;
  const { filter, given } = readQuery(exchange, exchange.request.query);
  if (Object.keys(given).length === 0) return undefined;
  const search = await searchExecutions(pool, portalId, filter);
  const [newer, older, choices, totals] = await Promise.all([
    search.read({ after: id }, 1),
    search.read({ before: id }, 1),
    readFilterChoices(pool, portalId, given),
    search.count(),
  ]);
  return {
    given,
    names: namesOf(choices),
    total: totals.countedTo === undefined ? totals.total : undefined,
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
