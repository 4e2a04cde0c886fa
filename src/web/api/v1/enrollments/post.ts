import type { Pool } from "pg";
import { z } from "zod";
import { acceptCalls, createCallAcceptor } from "#domain/enrollments/accept-calls.js";
import { readEnrollment } from "#domain/enrollments/read-enrollments.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { TraceAccepting } from "#platform/observability/tracing/tracing.js";
import type { OutcomeWatch } from "#domain/executions/outcome-watch.js";
import { endpoint, type AnyEndpoint, type Answer } from "#web/api/kit/endpoint.js";
import { refusal } from "#web/api/kit/problem.js";
import { enrollmentAnswer, enrollmentBody } from "./enrollment-body.js";

export interface CreateEnrollmentOptions {
  /** Hours after which an unfinished enrollment is given up. */
  readonly deadlineHours: number;
  /** Called after the commit when a portal has new work. Must not throw. */
  readonly wake: (portalId: PortalId) => void;
  readonly outcomes: OutcomeWatch;
  /** Reads what is committed, after the call's own transaction. */
  readonly committed: Pool;
  readonly traceAccepting: TraceAccepting;
}

const LONGEST_WAIT_S = 30;

/** `POST /enrollments`: accepts one, and waits for what comes of it where the caller wants to. */
export function createPostEnrollment(options: CreateEnrollmentOptions): AnyEndpoint {
  const { wake, outcomes, committed, traceAccepting } = options;
  const accept = createCallAcceptor(committed, options);
  return endpoint({
    method: "post",
    path: "/enrollments",
    operationId: "createEnrollment",
    tag: "Enrollments",
    scope: "enrollments:write",
    summary: "Enroll a contact in a sequence",
    description:
      "Answers as soon as the enrollment is stored; with `wait`, once it is decided, if that comes in time. What can be seen wrong at once is refused, and nothing is stored. An address that nobody has fails later, with CONTACT_NOT_FOUND.",
    query: z.strictObject({
      wait: z.coerce.number().int().min(0).max(LONGEST_WAIT_S).default(0).describe("Seconds to wait."),
    }),
    body: enrollmentBody,
    answers: {
      200: { description: "It was decided in time.", schema: enrollmentAnswer },
      202: { description: "It is stored, and will be worked on.", schema: enrollmentAnswer },
    },
    problems: ["SEQUENCE_NOT_FOUND", "INVALID_INPUT", "NOT_SUPPORTED"],
    isUnhurried: true,
    handle: async ({ actor, database: { pool }, identity, body: wish, query, signal, afterCommit }) => {
      const { portalId } = actor;
      const result = await traceAccepting("api", portalId, async (traceparent) => {
        const call = { actor, wish, traceparent };
        // What is stored with its answer for an Idempotency-Key has a transaction of its own.
        return identity === undefined ? accept(call) : (await acceptCalls(pool, [call], options))[0];
      });
      if (result?.kind === "refused") {
        const { code, detail, problems: errors } = result;
        return refusal(code, { detail, errors });
      }
      if (result?.kind !== "accepted") return refusal("NOT_CONNECTED");
      afterCommit(() => wake(portalId));
      const { enrollment } = result;
      const headers = { Location: `/api/v1/enrollments/${enrollment.id}` };
      const stored = { status: 202, headers, body: enrollment };
      if (query.wait === 0) return stored;
      const later = async (): Promise<Answer> => {
        const id = BigInt(enrollment.id);
        const limit = AbortSignal.any([signal, AbortSignal.timeout(query.wait * 1_000)]);
        const isDecided = await outcomes.decided({ portalId, id }, limit);
        return {
          status: isDecided ? 200 : 202,
          headers,
          body: await readEnrollment(committed, portalId, id),
        };
      };
      return { ...stored, later };
    },
  });
}
