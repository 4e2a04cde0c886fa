import type { PoolClient } from "pg";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { LANES } from "#domain/contract/execution.js";
import {
  acceptEnrollments,
  BATCH_DEADLINE_HOURS,
  type AskedEnrollment,
} from "#domain/executions/accept/accept-enrollments.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { EnrollmentWish } from "./enrollment-wish.js";
import { prepareEnrollments, type RowRefusalCode } from "./prepare-enrollments.js";

/** A row of a batch whose form is right. */
export interface BatchRow {
  /** Unique in the account: a row that comes again under it is stored once. */
  readonly callbackId: string;
  readonly wish: EnrollmentWish;
  /** The span that accepts it, if traces are kept. */
  readonly traceparent?: string | undefined;
}

/** What happens to a row. */
export type RowResult =
  | { readonly kind: "accepted"; readonly id: ExecutionId }
  /** Its reference was used in the last 24 hours, by the enrollment `id`. */
  | { readonly kind: "duplicate"; readonly id: ExecutionId }
  | { readonly kind: "refused"; readonly code: RowRefusalCode; readonly detail: string };

/**
 * Accepts rows of a batch for the actor's account, in their order and in a few statements of the caller's transaction;
 * rows that are visibly wrong are reported, and the others are stored. The caller wakes the portal after the commit.
 *
 * @returns undefined: the account is not connected, and nothing was stored.
 */
export async function acceptBatch(
  client: PoolClient,
  actor: Actor,
  rows: readonly BatchRow[],
): Promise<RowResult[] | undefined> {
  requireRight(actor, "acceptEnrollments");
  const { portalId } = actor;
  const prepared = await prepareEnrollments(
    client,
    rows.map(({ wish }) => ({ portalId, wish })),
  );
  const uses = await lockReferences(client, portalId, referencesOf(rows));
  const fresh: AskedEnrollment[] = [];
  const places = rows.map((row, index): RowResult | { readonly fresh: number; readonly isFirst: boolean } => {
    const one = prepared[index];
    if (one?.kind !== "ready")
      return { kind: "refused", code: one?.code ?? "INVALID_INPUT", detail: one?.detail ?? "" };
    const { reference } = row.wish;
    const use = reference === undefined ? undefined : uses.get(reference);
    if (use?.fresh !== undefined) return { fresh: use.fresh, isFirst: false };
    if (use?.id !== undefined && use.callbackId !== row.callbackId) return { kind: "duplicate", id: use.id };
    const { contact, sequenceId, request, notBefore } = one.enrollment;
    const { callbackId, traceparent } = row;
    // Not spread: that makes a shape of its own for each row, which only a full collection of garbage removes.
    const place =
      fresh.push({ contact, sequenceId, request, notBefore, reference, callbackId, traceparent }) - 1;
    if (reference !== undefined) uses.set(reference, { fresh: place });
    return { fresh: place, isFirst: true };
  });
  const origin = { source: "api", lane: LANES.batch, deadlineHours: BATCH_DEADLINE_HOURS } as const;
  const asked = fresh.map((enrollment) => ({ actor, enrollment }));
  const ids = await acceptEnrollments(client, asked, origin);
  if (ids.includes(undefined)) return undefined;
  return places.map((place) => {
    if ("kind" in place) return place;
    return { kind: place.isFirst ? "accepted" : "duplicate", id: ids[place.fresh] ?? 0n };
  });
}

const referencesOf = (rows: readonly BatchRow[]): string[] => [
  ...new Set(rows.flatMap(({ wish }) => wish.reference ?? [])),
];

/** Who has a reference: a stored enrollment, or a row that is about to be stored, by its place. */
interface Use {
  readonly id?: ExecutionId;
  readonly callbackId?: string;
  readonly fresh?: number;
}

/**
 * Which of the references were used in the last 24 hours. Until the transaction ends, no other batch of the account stores
 * one: of two that come at the same time, the second finds what the first stored.
 */
async function lockReferences(
  client: PoolClient,
  portalId: PortalId,
  references: readonly string[],
): Promise<Map<string, Use>> {
  if (references.length === 0) return new Map();
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`references:${portalId}`]);
  const { rows } = await client.query<{ reference: string; id: string; callback_id: string }>(
    FIND_REFERENCES,
    [portalId, references],
  );
  return new Map(
    rows.map((row) => [row.reference, { id: BigInt(row.id), callbackId: row.callback_id }] as const),
  );
}

/**
 * The newest use of each: if that one is older than a day, all are. Sorted by an expression, because the order of the
 * primary key would do as well, and has been chosen on a new database: it leads through all of the account's history.
 * Without a name, so that it is planned for each hundred rows: a plan that is kept from when the table was empty may read
 * the whole account for each reference, until the server next counts its rows.
 */
const FIND_REFERENCES = `
  SELECT asked.reference, used.id, used.callback_id FROM unnest($2::text[]) AS asked (reference)
   CROSS JOIN LATERAL (
     SELECT e.id, e.callback_id, e.accepted_at FROM executions e
      WHERE e.portal_id = $1 AND e.reference = asked.reference ORDER BY e.id + 0 DESC LIMIT 1
   ) AS used WHERE used.accepted_at > now() - interval '24 hours'`;
