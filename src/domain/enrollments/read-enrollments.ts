import type { ClientBase } from "pg";
import type { EnrollmentEnd } from "#domain/contract/enrollment-end.js";
import { readEnds } from "#domain/ends/known-ends.js";
import { findPeopleByIds } from "#domain/directory/people.js";
import { ENROLLMENT_COLUMNS, toEnrollment, type Enrollment, type EnrollmentRow } from "./enrollment.js";

/** A pool, or a connection in a transaction. */
export type Reader = Pick<ClientBase, "query">;

/** The portal's enrollments with these ids, by id. Ids of other portals, and of what does not enroll, are left out. */
export async function readEnrollments(
  reader: Reader,
  portalId: bigint,
  ids: readonly bigint[],
): Promise<Map<bigint, Enrollment>> {
  const { rows } = await reader.query<EnrollmentRow>({
    name: "read-enrollments",
    text: `SELECT ${ENROLLMENT_COLUMNS} FROM executions e
            WHERE e.portal_id = $1 AND e.id = ANY ($2::bigint[]) AND e.kind = 'ENROLL'`,
    values: [portalId, ids],
  });
  const enrollments = await asEnrollments(reader, portalId, rows);
  return new Map(enrollments.map((enrollment) => [BigInt(enrollment.id), enrollment]));
}

/** An enrollment of some portal. */
export interface EnrollmentKey {
  readonly portalId: bigint;
  readonly id: bigint;
}

/** Enrollments of several portals, in the order given; undefined for those that are not there. */
export async function readEnrollmentsOf(
  reader: Reader,
  keys: readonly EnrollmentKey[],
): Promise<(Enrollment | undefined)[]> {
  if (keys.length === 0) return [];
  const { rows } = await reader.query<EnrollmentRow & { portal_id: string }>({
    name: "read-enrollments-of-portals",
    text: `SELECT e.portal_id, ${ENROLLMENT_COLUMNS} FROM unnest($1::bigint[], $2::bigint[]) AS asked (portal_id, id)
             JOIN executions e USING (portal_id, id) WHERE e.kind = 'ENROLL'`,
    values: [keys.map(({ portalId }) => portalId), keys.map(({ id }) => id)],
  });
  const shown = new Map<string, Enrollment>();
  for (const portalId of new Set(rows.map((row) => row.portal_id))) {
    const own = rows.filter((row) => row.portal_id === portalId);
    for (const enrollment of await asEnrollments(reader, BigInt(portalId), own))
      shown.set(enrollment.id, enrollment);
  }
  return keys.map(({ id }) => shown.get(String(id)));
}

/** Undefined: the portal has no such enrollment. */
export async function readEnrollment(
  reader: Reader,
  portalId: bigint,
  id: bigint,
): Promise<Enrollment | undefined> {
  return (await readEnrollments(reader, portalId, [id])).get(id);
}

/** Rows as enrollments, in the same order. */
export async function asEnrollments(
  reader: Reader,
  portalId: bigint,
  rows: readonly EnrollmentRow[],
): Promise<Enrollment[]> {
  const senders = new Set(rows.flatMap(({ sender_user_id }) => sender_user_id ?? []));
  const people = await findPeopleByIds(reader, portalId, [...senders].map(BigInt));
  const enrolled = rows.filter(({ status }) => status === "ENROLLED").map(({ id }) => BigInt(id));
  const ends =
    enrolled.length === 0 ? new Map<bigint, EnrollmentEnd>() : await readEnds(reader, portalId, enrolled);
  return rows.map((row) => toEnrollment(row, { people, ends }));
}
