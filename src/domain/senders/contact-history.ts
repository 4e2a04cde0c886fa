import type { Pool } from "pg";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/** What we have enrolled a contact in. */
export interface ContactHistory {
  readonly lastEnrolledAt: Date;
  readonly lastSenderUserId: UserId | undefined;
  /** Undefined: never in the given sequence. */
  readonly lastEnrolledInSequenceAt: Date | undefined;
}

export interface HistoryQuestion {
  readonly contactId: string;
  readonly sequenceId: string;
}

/**
 * Our own enrollments of many contacts in one statement, including those whose executions retention deleted, in the
 * given order; undefined: none that we know of.
 */
export async function readContactHistories(
  pool: Pool,
  portalId: PortalId,
  questions: readonly HistoryQuestion[],
): Promise<(ContactHistory | undefined)[]> {
  const { rows } = await pool.query<{
    position: string;
    last_at: Date;
    last_sender: string | null;
    in_sequence_at: Date | null;
  }>({
    name: "read-contact-histories",
    text: `
      SELECT asked.position, max(e.enrolled_at) AS last_at,
             (array_agg(e.sender_user_id ORDER BY e.enrolled_at DESC))[1] AS last_sender,
             max(e.enrolled_at) FILTER (WHERE e.sequence_id = asked.sequence_id) AS in_sequence_at
        FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS asked (contact_id, sequence_id, position)
        JOIN LATERAL (
          SELECT enrolled_at, sequence_id, sender_user_id FROM executions
           WHERE portal_id = $1 AND contact_id = asked.contact_id AND enrollment_status = 'ENROLLED' AND enrolled_at IS NOT NULL
           UNION ALL SELECT enrolled_at, sequence_id, sender_user_id FROM past_enrollments
           WHERE portal_id = $1 AND contact_id = asked.contact_id
        ) AS e ON true
       GROUP BY asked.position`,
    values: [
      portalId,
      questions.map(({ contactId }) => contactId),
      questions.map(({ sequenceId }) => sequenceId),
    ],
  });
  const byPosition = new Map(rows.map((row) => [Number(row.position) - 1, row]));
  return questions.map((_, position) => {
    const row = byPosition.get(position);
    return (
      row && {
        lastEnrolledAt: row.last_at,
        lastSenderUserId: row.last_sender === null ? undefined : BigInt(row.last_sender),
        lastEnrolledInSequenceAt: row.in_sequence_at ?? undefined,
      }
    );
  });
}
