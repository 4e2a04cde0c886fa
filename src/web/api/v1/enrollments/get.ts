import { z } from "zod";
import { ERROR_CODES } from "#domain/contract/error-codes.js";
import { SOURCES } from "#domain/contract/execution.js";
import { ChangeFence } from "#domain/enrollments/change-fence.js";
import { ENROLLMENT_STATES } from "#domain/enrollments/enrollment-state.js";
import { listEnrollments } from "#domain/enrollments/list-enrollments.js";
import { ENROLLMENT_SORTS, readPlace, writePlace } from "#domain/enrollments/list-place.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { afterParameter, idParameter, limitParameter, pageSchema } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import { enrollmentAnswer } from "./enrollment-body.js";

/** Years that the database and every calendar can handle. */
const moment = z.iso.datetime({ offset: true }).refine((text) => {
  const year = new Date(text).getUTCFullYear();
  return Number.isNaN(year) || (year >= 1970 && year <= 9998);
}, "must be a time between 1970 and 9998");

const state = z.enum(ENROLLMENT_STATES);
const states = z
  .string()
  .max(200)
  .refine((text) => text.split(",").every((name) => state.safeParse(name).success), {
    message: `must be one or several, by comma, of ${ENROLLMENT_STATES.join(", ")}`,
  });

const query = z.strictObject({
  contactId: idParameter.optional(),
  email: z.string().min(1).max(320).optional().describe("The contact's address, in any case of letters."),
  sequenceId: idParameter.optional(),
  senderUserId: idParameter.optional(),
  status: states.optional().describe("One or several, by comma."),
  reason: z.enum(ERROR_CODES).optional().describe("Code of the reason."),
  workflowId: idParameter.optional(),
  importId: idParameter.optional(),
  source: z.enum(SOURCES).optional(),
  reference: z.string().min(1).max(200).optional(),
  createdAfter: moment.optional(),
  createdBefore: moment.optional(),
  updatedAfter: moment.optional(),
  sort: z
    .enum(ENROLLMENT_SORTS)
    .default("-createdAt")
    .describe("updatedAt, oldest change first, is for syncing."),
  limit: limitParameter(200, 50),
  after: afterParameter,
});

const dateOf = (text: string | undefined): Date | undefined =>
  text === undefined ? undefined : new Date(text);

/** `GET /enrollments`. The fence of a process is one: it knows what earlier requests found out. */
export function createListEnrollments(): AnyEndpoint {
  const fence = new ChangeFence();
  return endpoint({
    method: "get",
    path: "/enrollments",
    operationId: "listEnrollments",
    tag: "Enrollments",
    scope: "enrollments:read",
    summary: "List enrollments",
    description:
      "A page may hold fewer than `limit`, even none, though more follow: go on as long as there is `paging`. To sync, sort by " +
      "`updatedAt`, follow `paging.next.after` to the last page, and begin the next round with `updatedAfter` set to the last " +
      "`updatedAt` you have. A change shows as soon as no earlier one can follow.",
    query,
    answers: { 200: { description: "A page of enrollments.", schema: pageSchema(enrollmentAnswer) } },
    handle: async ({ actor, database: { pool }, query: asked }) => {
      const { sort, limit, after, status, createdAfter, createdBefore, updatedAfter, ...exact } = asked;
      const place = after === undefined ? undefined : readPlace(after, sort);
      if (after !== undefined && place === undefined)
        return refusal("INVALID_REQUEST", {
          errors: [{ parameter: "after", detail: "must be paging.next.after of the page before" }],
        });
      const filter = {
        ...exact,
        status: status?.split(",").map((name) => state.parse(name)),
        createdAfter: dateOf(createdAfter),
        createdBefore: dateOf(createdBefore),
        updatedAfter: dateOf(updatedAfter),
      };
      const question = { filter, sort, limit, after: place };
      const { enrollments, next } = await listEnrollments({ pool, fence }, actor.portalId, question);
      const paging = next && { next: { after: writePlace(next) } };
      return { status: 200, body: { results: enrollments, paging } };
    },
  });
}
