import {
  addWebhook,
  changeWebhook,
  MOST_WEBHOOKS,
  removeWebhook,
} from "#domain/subscriptions/change-webhooks.js";
import { draftSnapshot, type WebhookProblems } from "#domain/subscriptions/webhook-draft.js";
import { readDeliveryFigures } from "#domain/subscriptions/deliveries.js";
import { findWebhook, listWebhooks, type Webhook } from "#domain/subscriptions/webhook.js";
import { readId } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm, sendMissing, statusOf } from "../frame/form-answers.js";
import type { Problems } from "../frame/problems.js";
import { frameOf } from "../frame/shell.js";
import { submitVersioned } from "../frame/versioned-form.js";
import { actorOf } from "../session/visit.js";
import { describeChanges } from "../words/changes.js";
import { WEBHOOKS_PATH } from "../words/paths.js";
import { readDeliveries } from "./read-deliveries.js";
import { EMPTY_WEBHOOK, entryOf, readWebhookEntry, type WebhookEntry } from "./webhook-entry.js";
import { WebhookPage, type WebhookModel } from "./webhook-page.js";
import { NEW_WEBHOOK_PATH, WebhooksPage } from "./webhooks-page.js";

/** `GET /settings/webhooks` */
export async function showWebhooks(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { pool } = options.database;
  const { portalId } = visit.portal;
  const [webhooks, figures] = await Promise.all([
    listWebhooks({ database: pool, cipher: options.cipher }, portalId),
    readDeliveryFigures(pool, portalId),
  ]);
  sendPage(response, 200, <WebhooksPage frame={frameOf(exchange)} webhooks={webhooks} figures={figures} />);
}

/** `GET /settings/webhooks/new` and `/settings/webhooks/:webhookId` */
export async function showWebhook(exchange: Exchange): Promise<void> {
  const saved = await findSaved(exchange);
  if (saved === "missing") return sendNoWebhook(exchange);
  await sendWebhookPage(exchange, saved, { entry: saved === undefined ? EMPTY_WEBHOOK : entryOf(saved) });
}

/** `POST /settings/webhooks/new` and `/settings/webhooks/:webhookId` */
export async function saveWebhook(exchange: FormExchange): Promise<void> {
  const saved = await findSaved(exchange);
  if (saved === "missing") return sendNoWebhook(exchange);
  const entry = readWebhookEntry(exchange.form);
  if (saved === undefined) return addOne(exchange, entry);
  const { options, visit } = exchange;
  await submitVersioned(exchange, {
    entry,
    parsed: { draft: entry },
    save: async (draft, version) => {
      const outcome = await changeWebhook(setupOf(exchange), actorOf(visit), {
        ...draft,
        id: saved.id,
        version,
      });
      if (outcome.kind === "invalid") return { problems: byField(outcome.problems) };
      return outcome.kind === "changed" ? { notice: "webhook-saved" } : "changed-meanwhile";
    },
    find: () =>
      findWebhook(
        { database: options.database.pool, cipher: options.cipher },
        visit.portal.portalId,
        saved.id,
      ),
    compare: (stored, draft) => describeChanges(draftSnapshot(stored), draftSnapshot(draft), NO_NAMES),
    show: (state, stored = saved) => sendWebhookPage(exchange, stored, state),
    sendGone: () => sendNoWebhook(exchange),
  });
}

const NO_NAMES = { people: new Map(), rotations: new Map() };

/** The answer shows the secret, and no page does again. */
async function addOne(exchange: FormExchange, entry: WebhookEntry): Promise<void> {
  const added = await addWebhook(setupOf(exchange), actorOf(exchange.visit), entry);
  switch (added.kind) {
    case "added":
      return sendWebhookPage(exchange, added.webhook, { entry, madeSecret: added.secret });
    case "invalid":
      return sendWebhookPage(exchange, undefined, { entry, problems: byField(added.problems) });
    case "too-many": {
      const url = `This account has ${MOST_WEBHOOKS} webhooks, as many as it can have. Delete one first.`;
      return sendWebhookPage(exchange, undefined, { entry, problems: { url } });
    }
  }
}

/** `POST /settings/webhooks/:webhookId/delete` */
export async function deleteWebhook(exchange: FormExchange): Promise<void> {
  const { visit, form } = exchange;
  const saved = await findSaved(exchange);
  if (saved === "missing" || saved === undefined) return sendNoWebhook(exchange);
  const named = { id: saved.id, version: form.version() };
  const outcome = await removeWebhook(setupOf(exchange), actorOf(visit), named);
  if (outcome !== "changed-meanwhile") return finishForm(exchange, "webhook-deleted");
  await sendWebhookPage(exchange, saved, { entry: entryOf(saved), isChangedMeanwhile: true });
}

/** What a page shows besides what is saved. */
type Shown = Partial<Omit<WebhookModel, "frame" | "saved" | "deliveries">> & Pick<WebhookModel, "entry">;

/** Sends a webhook's page; `saved` is undefined for a new one. */
export async function sendWebhookPage(
  exchange: Exchange,
  saved: Webhook | undefined,
  shown: Shown,
): Promise<void> {
  const { problems = {}, conflict, isChangedMeanwhile } = shown;
  const deliveries = saved && (await readDeliveries(exchange, saved));
  const version = saved?.version ?? 0;
  const model = { frame: frameOf(exchange), saved, deliveries, version, ...shown, problems };
  const status = statusOf({ problems, conflict: conflict ?? isChangedMeanwhile });
  sendPage(exchange.response, status, <WebhookPage {...model} />);
}

export function setupOf({ options: { database, cipher, privateDestinations } }: Exchange) {
  return { pool: database.pool, cipher, privateDestinations };
}

const byField = (problems: WebhookProblems): Problems => ({ ...problems });

/** Undefined for the address of a new one. */
export async function findSaved({
  options,
  visit,
  request,
}: Exchange): Promise<Webhook | undefined | "missing"> {
  if (request.path === NEW_WEBHOOK_PATH) return undefined;
  const id = readId(request.params["webhookId"]);
  if (id === undefined) return "missing";
  const store = { database: options.database.pool, cipher: options.cipher };
  return (await findWebhook(store, visit.portal.portalId, id)) ?? "missing";
}

export function sendNoWebhook(exchange: Exchange): void {
  sendMissing(exchange, { what: "webhook", back: { href: WEBHOOKS_PATH, label: "All webhooks" } });
}
