import type { Pool, PoolClient } from "pg";
import { recordChange } from "#domain/audit/record-change.js";
import type { TextCipher } from "#domain/alerts/webhook-seals.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { makeSigningSecret } from "#platform/outbound/sign.js";
import { giveUpPending } from "./switch-off.js";
import {
  findWebhook,
  hostOf,
  listWebhooks,
  sealSecret,
  sealUrl,
  toWebhook,
  WEBHOOK_COLUMNS,
  type Webhook,
  type WebhookRow,
  type WebhookStatus,
} from "./webhook.js";
import { inOrder, webhookProblems, type WebhookDraft, type WebhookProblems } from "./webhook-draft.js";

/** Each endpoint is posted to for each event: more would multiply work, and nobody reads that many. */
export const MOST_WEBHOOKS = 10;
/** How long the secret before signs along with a new one. */
export const OLD_SECRET_HOURS = 24;

/** Where subscriptions are changed, and what they may be posted to. */
export interface WebhooksSetup {
  readonly pool: Pool;
  readonly cipher: TextCipher;
  /** `host:port` of the operator's own network that may be posted to, by http too. */
  readonly privateDestinations: ReadonlySet<string>;
}

export type AddWebhookOutcome =
  /** `secret` is shown this once. */
  | { readonly kind: "added"; readonly webhook: Webhook; readonly secret: string }
  | { readonly kind: "invalid"; readonly problems: WebhookProblems }
  | { readonly kind: "too-many" };

/** Subscribes an address to events from now on. */
export async function addWebhook(
  { pool, cipher, privateDestinations }: WebhooksSetup,
  actor: Actor,
  draft: WebhookDraft,
): Promise<AddWebhookOutcome> {
  requireRight(actor, "addWebhook");
  const problems = webhookProblems(draft, privateDestinations);
  if (Object.keys(problems).length > 0) return { kind: "invalid", problems };
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    await lockPortal(client, portalId);
    if ((await listWebhooks({ database: client, cipher }, portalId)).length >= MOST_WEBHOOKS)
      return { kind: "too-many" };
    const secret = makeSigningSecret();
    const { rows } = await client.query<WebhookRow>(
      `INSERT INTO webhook_subscriptions (portal_id, url_sealed, secret_sealed, events, description)
       VALUES ($1, $2, $3, $4, $5) RETURNING ${WEBHOOK_COLUMNS}`,
      [
        portalId,
        sealUrl(cipher, portalId, draft.url),
        sealSecret(cipher, portalId, secret),
        inOrder(draft.events),
        draft.description,
      ],
    );
    const webhook = toWebhook(rows[0] as WebhookRow, cipher, portalId);
    await recordChange(client, actor, {
      ...subjectOf(webhook),
      action: "CREATED",
      after: snapshotOf(webhook),
    });
    return { kind: "added", webhook, secret };
  });
}

/** Two of them at once count each other's. */
async function lockPortal(client: PoolClient, portalId: PortalId): Promise<void> {
  await client.query("SELECT FROM portals WHERE portal_id = $1 FOR NO KEY UPDATE", [portalId]);
}

function subjectOf(webhook: Webhook) {
  return { subject: "webhook", subjectName: hostOf(webhook) };
}

function snapshotOf({ url, events, description, status }: Webhook) {
  return { webhookHost: hostOf({ url }), events: events.join(", "), description, status };
}

export type ChangeWebhookOutcome =
  | { readonly kind: "changed"; readonly webhook: Webhook }
  | { readonly kind: "invalid"; readonly problems: WebhookProblems }
  /** Someone else changed it since `version`: nothing is changed. */
  | { readonly kind: "not-found" | "changed-meanwhile" };

/** What is to be changed, and of which subscription. */
export interface WebhookChange extends Partial<WebhookDraft> {
  readonly id: bigint;
  readonly status?: WebhookStatus;
  /** The version that a form was filled in from; without it, whatever is stored is changed. */
  readonly version?: number;
}

/**
 * Changes what is given. Switching it on again begins with what happens from then on; switching it off gives up what is
 * not delivered yet.
 */
export async function changeWebhook(
  { pool, cipher, privateDestinations }: WebhooksSetup,
  actor: Actor,
  { id, version, ...changes }: WebhookChange,
): Promise<ChangeWebhookOutcome> {
  requireRight(actor, "changeWebhook");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const before = await lockWebhook(client, cipher, { portalId, id });
    if (before === undefined) return { kind: "not-found" };
    if (version !== undefined && version !== before.version) return { kind: "changed-meanwhile" };
    const { events, description } = before;
    const draft = { url: before.url ?? "", events, description, ...changes };
    const { url: urlProblem, ...others } = webhookProblems(draft, privateDestinations);
    // One whose address cannot be read may still be switched off or renamed.
    const isUrlWrong = urlProblem !== undefined && (changes.url !== undefined || before.url !== null);
    const problems = { ...others, ...(isUrlWrong ? { url: urlProblem } : {}) };
    if (Object.keys(problems).length > 0) return { kind: "invalid", problems };
    const status = changes.status ?? before.status;
    const isOtherUrl = changes.url !== undefined && changes.url !== before.url;
    const { rows } = await client.query<WebhookRow>(
      `UPDATE webhook_subscriptions
          SET url_sealed = CASE WHEN $8 THEN $3 ELSE url_sealed END, events = $4, description = $5, status = $6,
              disabled_reason = CASE WHEN $6 = 'ACTIVE' THEN NULL ELSE coalesce(disabled_reason, $7) END,
              ends_told_since = CASE WHEN status <> $6 OR ('enrollment.ended' = ANY ($4::text[]) AND NOT 'enrollment.ended' = ANY (events))
                                     THEN now() ELSE ends_told_since END,
              failing_since = CASE WHEN status = $6 AND NOT $8 THEN failing_since END,
              version = version + 1, updated_at = now()
        WHERE portal_id = $1 AND id = $2 RETURNING ${WEBHOOK_COLUMNS}`,
      [
        portalId,
        id,
        sealUrl(cipher, portalId, draft.url),
        inOrder(draft.events),
        draft.description,
        status,
        "BY_REQUEST",
        isOtherUrl,
      ],
    );
    if (before.status === "ACTIVE" && status === "DISABLED")
      await giveUpPending(client, { portalId, id }, "The webhook was switched off.");
    const webhook = toWebhook(rows[0] as WebhookRow, cipher, portalId);
    const isOtherPath = isOtherUrl && hostOf(draft) === hostOf(before);
    await recordChange(client, actor, {
      ...subjectOf(webhook),
      action: "CHANGED",
      before: { ...snapshotOf(before), ...(isOtherPath ? { webhookPath: null } : {}) },
      after: { ...snapshotOf(webhook), ...(isOtherPath ? { webhookPath: "replaced" } : {}) },
    });
    return { kind: "changed", webhook };
  });
}

/** The subscription, which nobody else changes until the transaction ends. */
async function lockWebhook(
  client: PoolClient,
  cipher: TextCipher,
  { portalId, id }: { portalId: PortalId; id: bigint },
): Promise<Webhook | undefined> {
  await client.query("SELECT FROM webhook_subscriptions WHERE portal_id = $1 AND id = $2 FOR UPDATE", [
    portalId,
    id,
  ]);
  return findWebhook({ database: client, cipher }, portalId, id);
}

export type RemoveWebhookOutcome = "removed" | "not-found" | "changed-meanwhile";

/**
 * Ends a subscription and everything that is stored of its deliveries.
 *
 * @param named.version the one that the page with the button was shown at; without it, whatever is stored is removed
 */
export async function removeWebhook(
  { pool, cipher }: Pick<WebhooksSetup, "pool" | "cipher">,
  actor: Actor,
  { id, version }: { readonly id: bigint; readonly version?: number },
): Promise<RemoveWebhookOutcome> {
  requireRight(actor, "removeWebhook");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const before = await lockWebhook(client, cipher, { portalId, id });
    if (before === undefined) return "not-found";
    if (version !== undefined && version !== before.version) return "changed-meanwhile";
    await client.query("DELETE FROM webhook_deliveries WHERE portal_id = $1 AND subscription_id = $2", [
      portalId,
      id,
    ]);
    await client.query("DELETE FROM webhook_subscriptions WHERE portal_id = $1 AND id = $2", [portalId, id]);
    await recordChange(client, actor, {
      ...subjectOf(before),
      action: "DELETED",
      before: snapshotOf(before),
    });
    return "removed";
  });
}

/**
 * Makes another secret. For a day, messages are signed with both, so that the receiver can be given the new one without
 * refusing any.
 *
 * @returns the new secret, to be shown this once; undefined if there is no such subscription.
 */
export async function rotateWebhookSecret(
  { pool, cipher }: Pick<WebhooksSetup, "pool" | "cipher">,
  actor: Actor,
  id: bigint,
): Promise<{ readonly secret: string; readonly webhook: Webhook } | undefined> {
  requireRight(actor, "rotateWebhookSecret");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const secret = makeSigningSecret();
    const { rows } = await client.query<WebhookRow>(
      `UPDATE webhook_subscriptions
          SET old_secret_sealed = secret_sealed, old_secret_until = now() + $4 * interval '1 hour', secret_sealed = $3,
              version = version + 1, updated_at = now()
        WHERE portal_id = $1 AND id = $2 RETURNING ${WEBHOOK_COLUMNS}`,
      [portalId, id, sealSecret(cipher, portalId, secret), OLD_SECRET_HOURS],
    );
    if (rows[0] === undefined) return undefined;
    const webhook = toWebhook(rows[0], cipher, portalId);
    await recordChange(client, actor, { ...subjectOf(webhook), action: "RENEWED" });
    return { secret, webhook };
  });
}
