import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { Engagement } from "./engagement.js";
import type { Judged, OpenEnrollment } from "./judge-enrollment.js";

/** An open enrollment to look at, with its contact. */
export interface FollowedEnrollment extends OpenEnrollment {
  readonly executionId: ExecutionId;
  /** Undefined: the contact was erased, or the execution deleted. */
  readonly contactId: string | undefined;
}

interface Row {
  execution_id: string;
  contact_id: string | null;
  sequence_id: string | null;
  enrolled_at: Date;
  next_enrolled_at: Date | null;
  shown_enrolled_at: Date | null;
  left_at: Date | null;
  next_look_at: Date;
  now: Date;
}

/** Those due this soon come along with one that is due, so that a request is full. */
const GATHER = "30 minutes";

/**
 * SQL: whether a look is due that may be made now, for `portalId`. `min`: one look into the index for each portal.
 */
export function areLooksDue(portalId: string): string {
  return `((SELECT min(f.next_look_at) FROM followed_enrollments f WHERE f.portal_id = ${portalId} AND f.next_look_at IS NOT NULL) <= now()
     AND coalesce((SELECT g.next_request_at FROM follow_progress g WHERE g.portal_id = ${portalId}), '-infinity') <= now())`;
}

/**
 * Open enrollments to look at: those of `contactIds`, who are read anyway, and up to `limit` that are due. Reading claims
 * nothing, as with those that wait (executions/watch.ts).
 *
 * OFFSET 0: a contact's executions are found by its own index, whatever the database's statistics make of the others.
 */
export async function readOpenEnrollments(
  owner: Ownership,
  { contactIds, limit }: { contactIds: readonly string[]; limit: number },
): Promise<{ now: Date; enrollments: FollowedEnrollment[] }> {
  const { rows } = await owner.pool.query<Row>({
    name: "read-open-enrollments",
    text: `
      WITH chosen AS MATERIALIZED (
        (SELECT execution_id FROM followed_enrollments
          WHERE portal_id = $1 AND next_look_at <= now() + interval '${GATHER}' ORDER BY next_look_at, execution_id LIMIT $2)
        UNION
        SELECT e.id FROM (SELECT id, enrollment_status FROM executions
           WHERE portal_id = $1 AND contact_id = ANY ($3::text[]) AND contact_id <> '${ERASED_CONTACT}' OFFSET 0) AS e
         WHERE e.enrollment_status = 'ENROLLED'
      )
      SELECT f.execution_id, f.sequence_id, f.enrolled_at, f.shown_enrolled_at, f.left_at, f.next_look_at, e.contact_id, now() AS now,
             next.enrolled_at AS next_enrolled_at
        FROM followed_enrollments f
        LEFT JOIN LATERAL (SELECT x.contact_id FROM executions x WHERE x.portal_id = $1 AND x.id = f.execution_id
           AND x.contact_id <> '${ERASED_CONTACT}' OFFSET 0) AS e ON true
        LEFT JOIN LATERAL (SELECT min(n.enrolled_at) AS enrolled_at
           FROM (SELECT enrolled_at, enrollment_status FROM executions WHERE portal_id = $1 AND contact_id = e.contact_id OFFSET 0) AS n
          WHERE n.enrollment_status = 'ENROLLED' AND n.enrolled_at > f.enrolled_at) AS next ON true
       WHERE f.portal_id = $1 AND f.execution_id = ANY (ARRAY(SELECT execution_id FROM chosen)) AND f.next_look_at IS NOT NULL
       ORDER BY f.execution_id`,
    values: [owner.portalId, limit, contactIds],
  });
  return { now: rows[0]?.now ?? new Date(0), enrollments: rows.map(toEnrollment) };
}

function toEnrollment(row: Row): FollowedEnrollment {
  return {
    executionId: BigInt(row.execution_id),
    contactId: row.contact_id ?? undefined,
    sequenceId: row.sequence_id ?? undefined,
    enrolledAt: row.enrolled_at,
    nextEnrolledAt: row.next_enrolled_at ?? undefined,
    shownEnrolledAt: row.shown_enrolled_at ?? undefined,
    leftAt: row.left_at ?? undefined,
    nextLookAt: row.next_look_at,
  };
}

/** The result of a look at an enrollment. */
export interface EnrollmentLook {
  readonly enrollment: FollowedEnrollment;
  readonly judged: Judged;
  readonly engagement: Engagement | undefined;
}

/**
 * Writes looks in one statement under the lease, with the time before which no further request may be spent. An end is
 * written once: what is no longer open stays as it is. A look that a webhook asked for meanwhile stays due.
 *
 * `held`: an end is a change of its execution, which the database notes there. Executions are locked before what follows
 * them, and in the order of their ids, by all who change both: so nobody waits for each other in a circle.
 */
export async function writeEnrollmentLooks(
  owner: Ownership,
  looked: readonly EnrollmentLook[],
  { restMs }: { restMs: number },
): Promise<void> {
  const looks = looked.toSorted((one, other) =>
    one.enrollment.executionId < other.enrollment.executionId ? -1 : 1,
  );
  const column = (value: (look: EnrollmentLook) => unknown) => looks.map((look) => value(look) ?? null);
  const shown = ({ judged, enrollment }: EnrollmentLook) =>
    (judged.kind === "lost" ? undefined : judged.shownEnrolledAt) ?? enrollment.shownEnrolledAt;
  await owner.pool.query({
    name: "write-enrollment-looks",
    text: `
      WITH ${owner.leaseCte}, look AS (
        SELECT * FROM unnest($3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::text[],
          $9::timestamptz[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[]) AS row (
          execution_id, read_due_at, next_look_at, shown_enrolled_at, left_at, outcome, ended_at, lost_because, opened_at, clicked_at,
          replied_at, meeting_at)
      ), held AS MATERIALIZED (
        SELECT e.id FROM executions e, lease
         WHERE e.portal_id = lease.portal_id AND e.id = ANY (ARRAY(SELECT execution_id FROM look WHERE outcome IS NOT NULL))
         ORDER BY e.id FOR NO KEY UPDATE OF e
      ), rest AS (
        INSERT INTO follow_progress AS g (portal_id, next_request_at)
        SELECT portal_id, now() + $15::float8 * interval '1 millisecond' FROM lease WHERE $15::float8 > 0
        ON CONFLICT (portal_id) DO UPDATE SET next_request_at = excluded.next_request_at
      )
      UPDATE followed_enrollments f
         SET looked_at = now(),
             next_look_at = CASE WHEN l.next_look_at IS NULL THEN NULL WHEN f.next_look_at = l.read_due_at THEN l.next_look_at ELSE f.next_look_at END,
             shown_enrolled_at = l.shown_enrolled_at, left_at = l.left_at, lost_because = l.lost_because,
             outcome = l.outcome, ended_at = l.ended_at, noted_at = CASE WHEN l.outcome IS NOT NULL THEN now() END,
             opened_at = coalesce(f.opened_at, l.opened_at), clicked_at = coalesce(f.clicked_at, l.clicked_at),
             replied_at = coalesce(f.replied_at, l.replied_at), meeting_at = coalesce(f.meeting_at, l.meeting_at)
        FROM look l, lease
       WHERE f.portal_id = lease.portal_id AND f.execution_id = l.execution_id AND f.next_look_at IS NOT NULL
         AND (SELECT count(*) FROM held) >= 0`,
    values: [
      owner.portalId,
      owner.epoch,
      column(({ enrollment }) => enrollment.executionId),
      column(({ enrollment }) => enrollment.nextLookAt),
      column(({ judged }) => (judged.kind === "open" ? judged.nextLookAt : undefined)),
      column(shown),
      column(({ judged }) => (judged.kind === "open" ? judged.leftAt : undefined)),
      column(({ judged }) => (judged.kind === "ended" ? judged.end.outcome : undefined)),
      column(({ judged }) => (judged.kind === "ended" ? judged.end.at : undefined)),
      column(({ judged }) => (judged.kind === "lost" ? judged.because : undefined)),
      column(({ engagement }) => engagement?.openedAt),
      column(({ engagement }) => engagement?.clickedAt),
      column(({ engagement }) => engagement?.repliedAt),
      column(({ engagement }) => engagement?.meetingAt),
      restMs,
    ],
  });
}
