import type { ClientBase, Pool } from "pg";
import type { EndOutcome, EnrollmentEnd } from "#domain/contract/enrollment-end.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { Engagement } from "./engagement.js";
import type { LostBecause } from "./judge-enrollment.js";

/** The known ends among these executions of a portal, by execution; one without a known end is not in the map. */
export async function readEnds(
  reader: Pick<ClientBase, "query">,
  portalId: PortalId,
  executionIds: readonly ExecutionId[],
): Promise<Map<ExecutionId, EnrollmentEnd>> {
  const { rows } = await reader.query<{ execution_id: string; outcome: EndOutcome; ended_at: Date }>({
    name: "read-ends",
    text: `SELECT execution_id, outcome, ended_at FROM followed_enrollments
            WHERE portal_id = $1 AND execution_id = ANY ($2::bigint[]) AND outcome IS NOT NULL`,
    values: [portalId, executionIds],
  });
  return new Map(
    rows.map(({ execution_id, outcome, ended_at }) => [BigInt(execution_id), { at: ended_at, outcome }]),
  );
}

/** An end in the order in which ends became known. */
export interface NotedEnd extends EnrollmentEnd {
  readonly executionId: ExecutionId;
  readonly notedAt: Date;
}

/** Where the reader of noted ends stopped: the last one it has. */
export type NotedPlace = Pick<NotedEnd, "executionId" | "notedAt">;

/**
 * The ends that became known after `after`, oldest first: an outbox. `outcome`, `ended_at` and `noted_at` are written
 * once, together, by one statement, and never change. Ends noted within the last `settleMs` are left out: the statement
 * of an earlier `noted_at` may still be committing, and a reader that continues from the last one it has would miss it.
 */
export async function readNotedEnds(
  pool: Pool,
  portalId: PortalId,
  { after, limit, settleMs = 10_000 }: { after: NotedPlace; limit: number; settleMs?: number },
): Promise<NotedEnd[]> {
  const { rows } = await pool.query<{
    execution_id: string;
    outcome: EndOutcome;
    ended_at: Date;
    noted_at: Date;
  }>({
    name: "read-noted-ends",
    text: `SELECT execution_id, outcome, ended_at, noted_at FROM followed_enrollments
            WHERE portal_id = $1 AND noted_at IS NOT NULL AND (noted_at, execution_id) > ($2, $3)
              AND noted_at <= now() - $5::float8 * interval '1 millisecond'
            ORDER BY noted_at, execution_id LIMIT $4`,
    values: [portalId, after.notedAt, after.executionId, limit, settleMs],
  });
  return rows.map(({ execution_id, outcome, ended_at, noted_at }) => ({
    executionId: BigInt(execution_id),
    at: ended_at,
    outcome,
    notedAt: noted_at,
  }));
}

/** What is known of one enrollment so far from looks at its contact. */
export interface EnrollmentCourse {
  /** When the contact was last looked at; null: not yet. */
  readonly lookedAt: Date | null;
  /** When it is looked at next; null: never again. */
  readonly nextLookAt: Date | null;
  readonly end: (EnrollmentEnd & { readonly notedAt: Date }) | undefined;
  /** Why no end will ever be known. */
  readonly lostBecause: LostBecause | null;
  readonly engagement: Engagement;
}

interface CourseRow {
  looked_at: Date | null;
  next_look_at: Date | null;
  outcome: EndOutcome | null;
  ended_at: Date;
  noted_at: Date;
  lost_because: LostBecause | null;
  opened_at: Date | null;
  clicked_at: Date | null;
  replied_at: Date | null;
  meeting_at: Date | null;
}

/** Undefined: the execution enrolled nobody, or it is not followed (yet). */
export async function readCourse(
  reader: Pick<ClientBase, "query">,
  portalId: PortalId,
  executionId: ExecutionId,
): Promise<EnrollmentCourse | undefined> {
  const { rows } = await reader.query<CourseRow>({
    name: "read-course",
    text: `SELECT looked_at, next_look_at, outcome, ended_at, noted_at, lost_because, opened_at, clicked_at, replied_at, meeting_at
             FROM followed_enrollments WHERE portal_id = $1 AND execution_id = $2`,
    values: [portalId, executionId],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    lookedAt: row.looked_at,
    nextLookAt: row.next_look_at,
    end: row.outcome === null ? undefined : { at: row.ended_at, outcome: row.outcome, notedAt: row.noted_at },
    lostBecause: row.lost_because,
    engagement: {
      openedAt: row.opened_at ?? undefined,
      clickedAt: row.clicked_at ?? undefined,
      repliedAt: row.replied_at ?? undefined,
      meetingAt: row.meeting_at ?? undefined,
    },
  };
}
