import type { Pool } from "pg";
import type { UnenrollOutcome } from "#domain/contract/actions/unenroll-contract.js";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { findOpenRequest } from "./request-unenrollment.js";
import { isUsable, readSetup } from "./setup.js";
import type { UnenrollmentState } from "./unenrollments.js";

/** How far an execution has taken its contact out of a sequence, as its story tells it. */
export interface UnenrollmentStory {
  readonly state: UnenrollmentState;
  /** Null: not known yet, or nobody waits for it anymore. */
  readonly outcome: UnenrollOutcome | null;
  /** Name, or the id if the name is not known. */
  readonly sequence: string;
  readonly sequenceId: string;
  /** When HubSpot took the property that starts the helper workflow. */
  readonly stampedAt: Date | null;
  /** When HubSpot was first seen to show the contact out of the sequence. */
  readonly leftAt: Date | null;
  /** When nothing more was owed: the property is empty. */
  readonly endedAt: Date | null;
  /** Why the last request failed. */
  readonly lastProblem: string | null;
}

/** Null: the execution takes nobody out of a sequence. */
export async function readUnenrollmentStory(
  pool: Pool,
  portalId: PortalId,
  executionId: ExecutionId,
): Promise<UnenrollmentStory | null> {
  const { rows } = await pool.query<UnenrollmentStory>(
    `SELECT state, outcome, coalesce(nullif(sequence_name, ''), sequence_id) AS sequence, sequence_id AS "sequenceId",
            stamped_at AS "stampedAt", left_at AS "leftAt", ended_at AS "endedAt", last_problem AS "lastProblem"
       FROM unenrollments WHERE portal_id = $1 AND execution_id = $2`,
    [portalId, executionId],
  );
  return rows[0] ?? null;
}

/** A sequence that the contact is in by what we know, and that it can be taken out of now. */
export interface EndableEnrollment {
  /** Name, or the id if the name is not known. */
  readonly sequence: string;
  readonly enrolledAt: Date;
}

interface EndableRow {
  sequence: string;
  enrolledAt: Date;
  isOver: boolean;
}

/**
 * The contact's latest enrollment by us, if its end is not known, the account can unenroll, and nobody has asked for it
 * yet. Asks HubSpot nothing.
 */
export async function findEndable(
  pool: Pool,
  portalId: PortalId,
  contactId: string,
): Promise<EndableEnrollment | undefined> {
  if (contactId === ERASED_CONTACT || !isUsable(await readSetup({ pool }, portalId))) return undefined;
  const { rows } = await pool.query<EndableRow>({
    name: "find-endable-enrollment",
    text: LATEST_ENROLLMENT,
    values: [portalId, contactId],
  });
  const [latest] = rows;
  if (latest === undefined || latest.isOver) return undefined;
  if ((await findOpenRequest(pool, portalId, contactId)) !== undefined) return undefined;
  return { sequence: latest.sequence, enrolledAt: latest.enrolledAt };
}

/** By the contact's own index, whatever the planner's statistics say; a contact has few. */
const LATEST_ENROLLMENT = `
  WITH own AS MATERIALIZED (SELECT * FROM executions WHERE portal_id = $1 AND contact_id = $2 ORDER BY id DESC LIMIT 1000)
  SELECT coalesce(e.sequence_name, s.name, e.sequence_id) AS sequence, e.enrolled_at AS "enrolledAt",
         coalesce(f.outcome, f.lost_because) IS NOT NULL
           OR EXISTS (SELECT FROM own o JOIN unenrollments u ON u.portal_id = o.portal_id AND u.execution_id = o.id
                       WHERE u.left_at >= e.enrolled_at) AS "isOver"
    FROM own e
    LEFT JOIN followed_enrollments f ON f.portal_id = e.portal_id AND f.execution_id = e.id
    LEFT JOIN sequences s ON s.portal_id = e.portal_id AND s.sequence_id = e.sequence_id
   WHERE e.enrollment_status = 'ENROLLED' AND e.enrolled_at IS NOT NULL
   ORDER BY e.enrolled_at DESC, e.id DESC LIMIT 1`;
