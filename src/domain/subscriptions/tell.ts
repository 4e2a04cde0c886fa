import type { Pool, PoolClient } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { OUTCOME_EVENT, type WebhookEvent } from "./events.js";

/** SQL: an event of the portal's goes to those of its subscriptions that are active and asked for it. */
const WANTS = (event: string): string => `s.status = 'ACTIVE' AND ${event} = ANY (s.events)`;

/**
 * SQL of a CTE named `told`, for every statement that decides enrollments: it writes their messages with them, so that no
 * message is lost and none is about what was not committed. Portals without a subscription cost each statement one look
 * at an empty index, however many rows it decides (docs/decisions/017-outgoing-webhooks.md).
 *
 * @param decided a CTE with `portal_id`, `id`, `kind` and `enrollment_status` of the rows written; those without a status
 *   were not decided
 */
export const tellOutcomes = (decided: string): string => `
  told AS (
    INSERT INTO webhook_deliveries (portal_id, subscription_id, type, order_key, execution_id)
    SELECT d.portal_id, s.id, ${OUTCOME_EVENT}, 'enrollment:' || d.id, d.id
      FROM ${decided} d JOIN webhook_subscriptions s USING (portal_id)
     WHERE d.kind = 'ENROLL' AND d.enrollment_status IS NOT NULL AND ${WANTS(OUTCOME_EVENT)}
     ORDER BY d.id
  )`;

/** What `tellOutcomes` needs of `executions e`, for a RETURNING. */
export const TOLD_COLUMNS = "e.portal_id, e.id, e.kind, e.enrollment_status";

/**
 * SQL of a CTE named `told`, for other events.
 *
 * @param news a CTE with a row of `portal_id` if there is something to tell
 * @param event the event, the key that keeps its messages in order, and their data (jsonb), as SQL
 */
export const tellNews = (news: string, event: { type: string; orderKey: string; data: string }): string => `
  told AS (
    INSERT INTO webhook_deliveries (portal_id, subscription_id, type, order_key, data)
    SELECT s.portal_id, s.id, ${event.type}, ${event.orderKey}, ${event.data}
      FROM ${news} JOIN webhook_subscriptions s USING (portal_id) WHERE ${WANTS(event.type)}
  )`;

/**
 * SQL of a CTE named `forgotten_answers`: what receivers answered may echo what was sent to them of a contact.
 *
 * @param affected a CTE with `portal_id` and `id` of the executions
 */
export const forgetAnswers = (affected: string): string => `
  forgotten_answers AS (
    UPDATE webhook_deliveries w SET answer = NULL FROM ${affected} a
     WHERE w.portal_id = a.portal_id AND w.execution_id = a.id AND w.answer IS NOT NULL
  )`;

const TELL_OF_PORTAL = `
  WITH news AS (SELECT $1::bigint AS portal_id),
  ${tellNews("news", { type: "$2::text", orderKey: "'portal'", data: "$3::jsonb" })} SELECT`;

/** Writes the messages of an event of the whole account, in the transaction of the event itself. */
export async function tellOfPortal(
  client: PoolClient | Pool,
  portalId: PortalId,
  event: { type: Extract<WebhookEvent, `portal.${string}`>; data: Readonly<Record<string, unknown>> },
): Promise<void> {
  const data = { portalId: portalId.toString(), ...event.data };
  await client.query(TELL_OF_PORTAL, [portalId, event.type, JSON.stringify(data)]);
}
