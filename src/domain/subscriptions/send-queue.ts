import type { Pool } from "pg";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";
import { messageIdOf } from "./deliveries.js";

/** A message that is due now, with what it takes to send it. */
export interface DueWebhook {
  readonly portalId: PortalId;
  readonly id: bigint;
  readonly webhookId: bigint;
  readonly messageId: string;
  readonly type: string;
  /** When it happened. */
  readonly createdAt: Date;
  /** Number of this try. */
  readonly tries: number;
  /** The enrollment that it is about; null: `data` is all. */
  readonly executionId: ExecutionId | null;
  readonly data: unknown;
  readonly urlSealed: string;
  /** The newest first. */
  readonly secretsSealed: readonly string[];
}

interface DueRow {
  portal_id: string;
  id: string;
  subscription_id: string;
  type: string;
  created_at: Date;
  tries: number;
  execution_id: string | null;
  data: unknown;
  url_sealed: string;
  secrets_sealed: string[];
}

/** How much may be claimed. */
export interface ClaimLimits {
  /** In total. */
  readonly limit: number;
  /** How many of one endpoint may be under way. One that fails gets one at a time. */
  readonly perEndpoint: number;
  /** Of the endpoints that this process is sending to: how many messages. */
  readonly underWay: readonly {
    readonly portalId: PortalId;
    readonly webhookId: bigint;
    readonly count: number;
  }[];
  readonly claimSeconds: number;
}

/**
 * Each endpoint's oldest due messages, by its own share of the index; whose turn it is does not depend on how much waits
 * for others. What has an earlier message with the same key before it waits for that, also if another process is sending
 * it: a claimed message stays PENDING until it is ended.
 */
const CLAIM = `
  WITH busy AS (
    SELECT * FROM unnest($3::bigint[], $4::bigint[], $5::int[]) AS row (portal_id, id, count)
  ), endpoint AS MATERIALIZED (
    SELECT s.portal_id, s.id,
           CASE WHEN s.failing_since IS NULL THEN $2::int ELSE 1 END - coalesce(busy.count, 0) AS room
      FROM webhook_subscriptions s LEFT JOIN busy USING (portal_id, id) WHERE s.status = 'ACTIVE' ORDER BY random()
  ), due AS MATERIALIZED (
    SELECT first.portal_id, first.id FROM endpoint CROSS JOIN LATERAL (
      SELECT w.portal_id, w.id FROM webhook_deliveries w
       WHERE w.portal_id = endpoint.portal_id AND w.subscription_id = endpoint.id AND w.state = 'PENDING' AND w.due_at <= now()
         AND NOT EXISTS (
           SELECT FROM webhook_deliveries earlier
            WHERE earlier.portal_id = w.portal_id AND earlier.subscription_id = w.subscription_id
              AND earlier.order_key = w.order_key AND earlier.state = 'PENDING' AND earlier.id < w.id)
       ORDER BY w.due_at, w.id LIMIT greatest(endpoint.room, 0) FOR UPDATE OF w SKIP LOCKED
    ) AS first LIMIT $1
  )
  UPDATE webhook_deliveries w SET tries = w.tries + 1, due_at = now() + $6 * interval '1 second'
    FROM due, webhook_subscriptions s
   WHERE w.portal_id = due.portal_id AND w.id = due.id AND s.portal_id = w.portal_id AND s.id = w.subscription_id
  RETURNING w.portal_id, w.id, w.subscription_id, w.type, w.created_at, w.tries, w.execution_id, w.data, s.url_sealed,
            CASE WHEN s.old_secret_until > now() THEN ARRAY[s.secret_sealed, s.old_secret_sealed]
                 ELSE ARRAY[s.secret_sealed] END AS secrets_sealed`;

/** Claims due messages: if this process dies while it sends them, another one does so after `claimSeconds`. */
export async function claimDueWebhooks(
  pool: Pool,
  { limit, perEndpoint, underWay, claimSeconds }: ClaimLimits,
): Promise<DueWebhook[]> {
  const { rows } = await pool.query<DueRow>({
    name: "claim-due-webhooks",
    text: CLAIM,
    values: [
      limit,
      perEndpoint,
      underWay.map(({ portalId }) => portalId),
      underWay.map(({ webhookId }) => webhookId),
      underWay.map(({ count }) => count),
      claimSeconds,
    ],
  });
  return rows.map((row) => {
    const [portalId, id] = [BigInt(row.portal_id), BigInt(row.id)];
    return {
      portalId,
      id,
      messageId: messageIdOf(portalId, id),
      webhookId: BigInt(row.subscription_id),
      type: row.type,
      createdAt: row.created_at,
      tries: row.tries,
      data: row.data,
      executionId: row.execution_id === null ? null : BigInt(row.execution_id),
      urlSealed: row.url_sealed,
      secretsSealed: row.secrets_sealed,
    };
  });
}

const LONGEST_ANSWER = 1_024;
const LONGEST_PROBLEM = 600;

/** What happened to a try. */
export interface WebhookTry {
  readonly durationMs: number;
  /** Undefined: no answer came. */
  readonly httpStatus?: number | undefined;
  readonly answer?: string | undefined;
  /** Undefined: it was delivered. */
  readonly problem?: string | undefined;
  /** Of one that failed: when it is tried again; undefined: it is given up. */
  readonly retryInMs?: number | undefined;
}

/**
 * Messages with the same key behind it follow it: they are tried as soon as it has ended, or not before it. An answer may
 * echo what was sent: it is not kept if the contact was erased meanwhile.
 */
const END = `
  WITH ended AS (
    UPDATE webhook_deliveries w
       SET state = $4, due_at = now() + $5::float8 * interval '1 millisecond', tried_at = now(), duration_ms = $6, http_status = $7,
           answer = CASE WHEN (SELECT e.contact_id FROM executions e WHERE e.portal_id = w.portal_id AND e.id = w.execution_id)
                              IS DISTINCT FROM '${ERASED_CONTACT}' THEN $8 END,
           problem = $9, ended_at = CASE WHEN $4 <> 'PENDING' THEN now() END
     WHERE w.portal_id = $1 AND w.id = $2 AND w.tries = $3 AND w.state = 'PENDING'
    RETURNING w.portal_id, w.subscription_id, w.order_key, w.id, w.due_at
  ), followers AS (
    UPDATE webhook_deliveries w SET due_at = CASE WHEN $4 = 'PENDING' THEN ended.due_at ELSE now() END
      FROM ended
     WHERE w.portal_id = ended.portal_id AND w.subscription_id = ended.subscription_id AND w.order_key = ended.order_key
       AND w.state = 'PENDING' AND w.id > ended.id
  )
  UPDATE webhook_subscriptions s SET failing_since = CASE WHEN $4 = 'DELIVERED' THEN NULL ELSE now() END
    FROM ended
   WHERE s.portal_id = ended.portal_id AND s.id = ended.subscription_id AND (s.failing_since IS NULL) <> ($4 = 'DELIVERED')`;

/** Stores how a try ended; does nothing if the message is not this process's anymore. */
export async function endWebhookTry(pool: Pool, due: DueWebhook, end: WebhookTry): Promise<void> {
  const state =
    end.problem === undefined ? "DELIVERED" : end.retryInMs === undefined ? "GIVEN_UP" : "PENDING";
  await pool.query({
    name: "end-webhook-try",
    text: END,
    values: [
      due.portalId,
      due.id,
      due.tries,
      state,
      end.retryInMs ?? 0,
      end.durationMs,
      end.httpStatus ?? null,
      end.answer === undefined || end.answer === "" ? null : cutText(end.answer, LONGEST_ANSWER),
      end.problem === undefined ? null : cutText(end.problem, LONGEST_PROBLEM),
    ],
  });
}
