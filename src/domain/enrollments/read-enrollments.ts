import type { ClientBase } from "pg";
import type { EnrollmentEnd } from "#domain/contract/enrollment-end.js";
import { readEnds } from "#domain/ends/known-ends.js";
import { findPeopleByIds } from "#domain/directory/people.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { ENROLLMENT_COLUMNS, toEnrollment, type Enrollment, type EnrollmentRow } from "./enrollment.js";

/** A pool, or a connection in a transaction. */
export type Reader = Pick<ClientBase, "query">;

/** The portal's enrollments with these ids, by id. Ids of other portals, and of what does not enroll, are left out. */
export async function readEnrollments(
  reader: Reader,
  portalId: PortalId,
  ids: readonly ExecutionId[],
): Promise<Map<ExecutionId, Enrollment>> {
  const { rows } = await reader.query<EnrollmentRow>({
    name: "read-enrollments",
    text: `SELECT ${ENROLLMENT_COLUMNS} FROM executions e
            WHERE e.portal_id = $1 AND e.id = ANY ($2::bigint[]) AND e.kind = 'ENROLL'`,
    values: [portalId, ids],
  });
  const enrollments = await asEnrollments(reader, portalId, rows);
  return new Map(enrollments.map((enrollment) => [BigInt(enrollment.id), enrollment]));
}

/** Undefined: the portal has no such enrollment. */
export async function readEnrollment(
  reader: Reader,
  portalId: PortalId,
  id: ExecutionId,
): Promise<Enrollment | undefined> {
  return (await readEnrollments(reader, portalId, [id])).get(id);
}

/** Rows as enrollments, in the same order. */
export async function asEnrollments(
  reader: Reader,
  portalId: PortalId,
  rows: readonly EnrollmentRow[],
): Promise<Enrollment[]> {
  const senders = new Set(rows.flatMap(({ sender_user_id }) => sender_user_id ?? []));
  const people = await findPeopleByIds(reader, portalId, [...senders].map(BigInt));
  const enrolled = rows.filter(({ status }) => status === "ENROLLED").map(({ id }) => BigInt(id));
  const ends =
    enrolled.length === 0
      ? new Map<ExecutionId, EnrollmentEnd>()
      : await readEnds(reader, portalId, enrolled);
  return rows.map((row) => toEnrollment(row, { people, ends }));
}
