import { z } from "zod";
import { readUnenrollment } from "#domain/unenroll/read-unenrollment.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import { unenrollmentAnswer } from "../unenrollment-answer.js";

/** `GET /unenrollments/{id}`. */
export function createGetUnenrollment(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/unenrollments/{id}",
    operationId: "getUnenrollment",
    tag: "Unenrollments",
    scope: "enrollments:read",
    summary: "Get an unenrollment",
    params: z.strictObject({ id: idParameter }),
    answers: { 200: { description: "The unenrollment.", schema: unenrollmentAnswer } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database, params }) => {
      const found = await readUnenrollment(database.pool, actor.portalId, BigInt(params.id));
      return found === undefined ? refusal("NOT_FOUND") : { status: 200, body: found };
    },
  });
}
