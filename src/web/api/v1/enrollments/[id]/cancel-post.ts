import { z } from "zod";
import { readEnrollment } from "#domain/enrollments/read-enrollments.js";
import { actOnExecution } from "#domain/history/act-on-execution.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { enrollmentAnswer } from "../enrollment-body.js";

/** `POST /enrollments/{id}/cancel`. @param wake called once a portal has something to complete. */
export function createCancelEnrollment({ wake }: { wake: (portalId: PortalId) => void }): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/enrollments/{id}/cancel",
    operationId: "cancelEnrollment",
    tag: "Enrollments",
    scope: "enrollments:write",
    summary: "Cancel an enrollment that was not sent yet",
    params: z.strictObject({ id: idParameter }),
    answers: { 200: { description: "The enrollment, which is canceled.", schema: enrollmentAnswer } },
    problems: ["NOT_FOUND", "CONFLICT"],
    handle: async ({ actor, database: { pool }, params, afterCommit }) => {
      const id = BigInt(params.id);
      const { portalId } = actor;
      if ((await readEnrollment(pool, portalId, id)) === undefined) return refusal("NOT_FOUND");
      if (!(await actOnExecution(pool, actor, { action: "CANCEL", id })))
        return refusal("CONFLICT", { detail: "The enrollment is being sent, or is decided already." });
      afterCommit(() => wake(portalId));
      return { status: 200, body: await readEnrollment(pool, portalId, id) };
    },
  });
}
