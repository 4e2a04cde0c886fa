import { z } from "zod";
import { readEnrollment } from "#domain/enrollments/read-enrollments.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import { enrollmentAnswer } from "../enrollment-body.js";

/** `GET /enrollments/{id}`. */
export function createGetEnrollment(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/enrollments/{id}",
    operationId: "getEnrollment",
    tag: "Enrollments",
    scope: "enrollments:read",
    summary: "Get an enrollment",
    params: z.strictObject({ id: idParameter }),
    answers: { 200: { description: "The enrollment.", schema: enrollmentAnswer } },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database, params }) => {
      const found = await readEnrollment(database.pool, actor.portalId, BigInt(params.id));
      return found === undefined ? refusal("NOT_FOUND") : { status: 200, body: found };
    },
  });
}
