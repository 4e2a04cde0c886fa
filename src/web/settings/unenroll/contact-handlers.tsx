import { readStory } from "#domain/history/execution-story.js";
import { whyUnusable } from "#domain/unenroll/problem-sentences.js";
import { requestUnenrollment } from "#domain/unenroll/request-unenrollment.js";
import { readSetup } from "#domain/unenroll/setup.js";
import { readId } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import { MissingPage } from "../activity/frame.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { createFormat } from "../words/format.js";
import { storyPath, unenrollPath } from "../words/paths.js";
import { ContactPage } from "./contact-page.js";

/** GET /settings/unenroll/contact/:id, of the contact of an execution. */
export async function askToUnenroll(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId, timeZone } = visit.portal;
  const story = await findStory(exchange);
  if (story === undefined) return sendMissing(exchange);
  const reason = whyUnusable(await readSetup(options.database, portalId));
  const model = { story, reason, frame: frameOf(exchange), format: createFormat(timeZone, options.now()) };
  sendPage(response, 200, <ContactPage {...model} />);
}

/** POST /settings/unenroll/contact/:id. What cannot be done anymore is told by the page that asks. */
export async function unenrollOne(exchange: FormExchange): Promise<void> {
  const { options, visit, response } = exchange;
  const story = await findStory(exchange);
  if (story === undefined) return sendMissing(exchange);
  if (story.endable === undefined) return response.redirect(303, unenrollPath(story.id));
  const asked = await requestUnenrollment(options.database.pool, actorOf(visit), story.contactId);
  if (asked.kind !== "asked") return response.redirect(303, unenrollPath(story.id));
  options.wake(visit.portal.portalId);
  response.redirect(303, `${storyPath(asked.id)}?done=unenroll`);
}

async function findStory({ options, visit: { portal }, request }: Exchange) {
  const id = readId(request.params["id"]);
  return id === undefined ? undefined : readStory(options.database.pool, portal.portalId, id);
}

function sendMissing(exchange: Exchange): void {
  sendPage(exchange.response, 404, <MissingPage what="record" frame={frameOf(exchange)} />);
}
