import { z } from "zod";
import { readEnrollment } from "#domain/enrollments/read-enrollments.js";
import { actOnExecution } from "#domain/history/act-on-execution.js";
import { findRetry } from "#domain/history/find-retry.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { enrollmentAnswer } from "../enrollment-body.js";

/** `POST /enrollments/{id}/retry`. @param wake called once a portal has new work. */
export function createRetryEnrollment({ wake }: { wake: (portalId: PortalId) => void }): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/enrollments/{id}/retry",
    operationId: "retryEnrollment",
    tag: "Enrollments",
    scope: "enrollments:write",
    summary: "Try an enrollment once more",
    description:
      "Makes a new enrollment. Refused while one of the contact's tries is open, or once one has succeeded.",
    params: z.strictObject({ id: idParameter }),
    answers: { 202: { description: "The new enrollment.", schema: enrollmentAnswer } },
    problems: ["NOT_FOUND", "CONFLICT"],
    handle: async ({ actor, database: { pool }, params, afterCommit }) => {
      const id = BigInt(params.id);
      const { portalId } = actor;
      if ((await readEnrollment(pool, portalId, id)) === undefined) return refusal("NOT_FOUND");
      if (!(await actOnExecution(pool, actor, { action: "RETRY", id })))
        return refusal("CONFLICT", {
          detail:
            "The enrollment cannot be tried again: it is open, has succeeded, or was asked for with a wrong value.",
        });
      afterCommit(() => wake(portalId));
      const retry = await findRetry(pool, portalId, id);
      if (retry === undefined) return refusal("CONFLICT");
      const headers = { Location: `/api/v1/enrollments/${retry}` };
      return { status: 202, headers, body: await readEnrollment(pool, portalId, retry) };
    },
  });
}
