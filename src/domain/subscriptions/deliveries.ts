import type { Pool } from "pg";
import { recordChange } from "#domain/audit/record-change.js";
import type { TextCipher } from "#domain/alerts/webhook-seals.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { TEST_EVENT } from "./events.js";
import { findWebhook, hostOf } from "./webhook.js";

/** For so long deliveries are kept and listed. */
export const DELIVERY_DAYS = 7;
/** Tests of an account in an hour: the address may belong to someone who never asked for them. */
const MOST_TESTS_AN_HOUR = 60;

export const DELIVERY_STATES = ["PENDING", "DELIVERED", "GIVEN_UP"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** A message, and what happened to it. */
export interface ListedDelivery {
  readonly id: bigint;
  /** The `webhook-id` of all its tries. */
  readonly messageId: string;
  readonly type: string;
  /** Of an enrollment's event. */
  readonly enrollmentId: string | null;
  readonly state: DeliveryState;
  readonly createdAt: Date;
  readonly tries: number;
  /** Of the last try; null before the first one. */
  readonly triedAt: Date | null;
  readonly durationMs: number | null;
  /** Null: there was no answer. */
  readonly httpStatus: number | null;
  readonly answer: string | null;
  readonly problem: string | null;
  /** When a pending one is tried next. */
  readonly nextTryAt: Date | null;
}

interface DeliveryRow {
  id: string;
  type: string;
  execution_id: string | null;
  state: DeliveryState;
  created_at: Date;
  tries: number;
  tried_at: Date | null;
  duration_ms: number | null;
  http_status: number | null;
  answer: string | null;
  problem: string | null;
  due_at: Date;
}

const COLUMNS = `id, type, execution_id, state, created_at, tries, tried_at, duration_ms, http_status, answer, problem, due_at`;

/** The same for every try of a message, and for no other one. */
export const messageIdOf = (portalId: PortalId, id: bigint): string => `msg_${portalId}_${id}`;

function toDelivery(row: DeliveryRow, portalId: PortalId): ListedDelivery {
  const id = BigInt(row.id);
  return {
    id,
    messageId: messageIdOf(portalId, id),
    type: row.type,
    enrollmentId: row.execution_id,
    state: row.state,
    createdAt: row.created_at,
    tries: row.tries,
    triedAt: row.tried_at,
    durationMs: row.duration_ms,
    httpStatus: row.http_status,
    answer: row.answer,
    problem: row.problem,
    nextTryAt: row.state === "PENDING" ? row.due_at : null,
  };
}

/** Of one subscription. */
export interface DeliveriesQuery {
  readonly portalId: PortalId;
  readonly webhookId: bigint;
  readonly limit: number;
  /** Only those with a smaller id: the next page. */
  readonly beforeId?: bigint | undefined;
  readonly state?: DeliveryState | undefined;
}

/** The newest first, of the last seven days. */
export async function listDeliveries(
  database: Pick<Pool, "query">,
  { portalId, webhookId, limit, beforeId, state }: DeliveriesQuery,
): Promise<ListedDelivery[]> {
  const { rows } = await database.query<DeliveryRow>(
    `SELECT ${COLUMNS} FROM webhook_deliveries
      WHERE portal_id = $1 AND subscription_id = $2 AND ($4::bigint IS NULL OR id < $4) AND ($5::text IS NULL OR state = $5)
        AND created_at > now() - interval '${DELIVERY_DAYS} days'
      ORDER BY id DESC LIMIT $3`,
    [portalId, webhookId, limit, beforeId ?? null, state ?? null],
  );
  return rows.map((row) => toDelivery(row, portalId));
}

/** How a subscription's messages fare. */
export interface DeliveryFigures {
  /** Messages that wait for their first or next try; counted to `MOST_COUNTED`. */
  readonly waiting: number;
  /** Of the newest message that was tried. */
  readonly last: Pick<ListedDelivery, "state" | "triedAt" | "httpStatus" | "problem"> | null;
}

export const MOST_COUNTED = 1_000;

const FIGURES = `
  SELECT s.id, (SELECT count(*)::int FROM (
           SELECT FROM webhook_deliveries w
            WHERE w.portal_id = s.portal_id AND w.subscription_id = s.id AND w.state = 'PENDING' LIMIT ${MOST_COUNTED}) AS waiting) AS waiting,
         last.*
    FROM webhook_subscriptions s LEFT JOIN LATERAL (
      SELECT w.state, w.tried_at, w.http_status, w.problem FROM webhook_deliveries w
       WHERE w.portal_id = s.portal_id AND w.subscription_id = s.id AND w.tried_at IS NOT NULL
         AND w.created_at > now() - interval '${DELIVERY_DAYS} days'
       ORDER BY w.id DESC LIMIT 1) AS last ON true
   WHERE s.portal_id = $1`;

/** Of each subscription of an account, by its id. */
export async function readDeliveryFigures(
  database: Pick<Pool, "query">,
  portalId: PortalId,
): Promise<ReadonlyMap<bigint, DeliveryFigures>> {
  const { rows } = await database.query<
    { id: string; waiting: number } & Pick<DeliveryRow, "tried_at" | "http_status" | "problem"> & {
        state: DeliveryState | null;
      }
  >(FIGURES, [portalId]);
  return new Map(
    rows.map(({ id, waiting, state, tried_at, http_status, problem }) => [
      BigInt(id),
      { waiting, last: state && { state, triedAt: tried_at, httpStatus: http_status, problem } },
    ]),
  );
}

/** Where it is requested. */
interface RequestSetup {
  readonly pool: Pool;
  readonly cipher: TextCipher;
}

export type RequestedDelivery =
  | { readonly kind: "requested"; readonly delivery: ListedDelivery }
  | { readonly kind: "not-found" | "switched-off" | "too-many" | "pending" };

/** Sends a message about nothing, to see whether it arrives. It goes the way of all others. */
export async function sendTestWebhook(
  { pool, cipher }: RequestSetup,
  actor: Actor,
  webhookId: bigint,
): Promise<RequestedDelivery> {
  requireRight(actor, "sendTestWebhook");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const webhook = await findWebhook({ database: client, cipher }, portalId, webhookId);
    if (webhook === undefined) return { kind: "not-found" };
    if (webhook.status !== "ACTIVE") return { kind: "switched-off" };
    await client.query("SELECT FROM portals WHERE portal_id = $1 FOR NO KEY UPDATE", [portalId]);
    const { rows } = await client.query<DeliveryRow>(
      `INSERT INTO webhook_deliveries (portal_id, subscription_id, type, order_key, data)
       SELECT $1, $2, $3, 'test', $4
        WHERE (SELECT count(*) FROM webhook_deliveries
                WHERE portal_id = $1 AND order_key = 'test' AND created_at > now() - interval '1 hour') < $5
       RETURNING ${COLUMNS}`,
      [portalId, webhookId, TEST_EVENT, JSON.stringify(TEST_DATA), MOST_TESTS_AN_HOUR],
    );
    if (rows[0] === undefined) return { kind: "too-many" };
    await recordChange(client, actor, {
      subject: "webhook",
      subjectName: `Test of ${hostOf(webhook)}`,
      action: "SENT",
    });
    return { kind: "requested", delivery: toDelivery(rows[0], portalId) };
  });
}

const TEST_DATA = { message: "This is a test of Sequence Enroller. Real events arrive the same way." };

/** Sends a message once more, under the same `webhook-id`, with all its tries before it. Not while it is pending. */
export async function redeliver(
  { pool, cipher }: RequestSetup,
  actor: Actor,
  { webhookId, deliveryId }: { webhookId: bigint; deliveryId: bigint },
): Promise<RequestedDelivery> {
  requireRight(actor, "redeliver");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const webhook = await findWebhook({ database: client, cipher }, portalId, webhookId);
    if (webhook === undefined) return { kind: "not-found" };
    if (webhook.status !== "ACTIVE") return { kind: "switched-off" };
    const { rows } = await client.query<DeliveryRow & { was: DeliveryState }>(
      `WITH old AS (
         SELECT id, state FROM webhook_deliveries
          WHERE portal_id = $1 AND subscription_id = $2 AND id = $3
            AND created_at > now() - interval '${DELIVERY_DAYS} days' FOR UPDATE
       ), again AS (
         UPDATE webhook_deliveries SET state = 'PENDING', due_at = now(), tries = 0, ended_at = NULL
          WHERE portal_id = $1 AND id = (SELECT id FROM old WHERE state <> 'PENDING') RETURNING ${COLUMNS}
       )
       SELECT again.*, old.state AS was FROM old LEFT JOIN again USING (id)`,
      [portalId, webhookId, deliveryId],
    );
    const [row] = rows;
    if (row === undefined) return { kind: "not-found" };
    if (row.was === "PENDING") return { kind: "pending" };
    const subjectName = `Message ${messageIdOf(portalId, deliveryId)} to ${hostOf(webhook)}`;
    await recordChange(client, actor, { subject: "webhook", subjectName, action: "SENT_AGAIN" });
    return { kind: "requested", delivery: toDelivery(row, portalId) };
  });
}
