import type { TraceAccepting, Tracing } from "#platform/observability/tracing/tracing.js";
import type { TransportOptions } from "#platform/hubspot/transport.js";
import { routeTemplate } from "#platform/hubspot/wire/route-template.js";
import type { AcceptCallOptions } from "#web/actions/accept-call.js";
import type { DrainOptions } from "#worker/drain/drain-options.js";
import { attemptOutcome } from "./count-work.js";

/*
 * One trace leads from HubSpot's call to its completion: the call's span is stored with the execution, and what any
 * process does for it later belongs to that span. Without tracing nothing of this exists.
 */

/** Every call of an action is a span. What is stored of it names that. */
export function traceCalls(
  tracing: Tracing | undefined,
): Pick<AcceptCallOptions, "around"> & { readonly withTrace: WithTrace } {
  if (tracing === undefined) return { withTrace: (execution) => execution };
  return {
    around: ({ kind, requestId }, work) =>
      tracing.during(
        `accept ${kind}`,
        { kind: "server", attributes: { "sequence_enroller.request_id": requestId } },
        work,
      ),
    withTrace: (execution) => {
      const span = tracing.current();
      if (span === undefined) return execution;
      const { portalId, callbackId } = execution;
      span.set({ "hubspot.portal_id": String(portalId), "hubspot.callback_id": callbackId });
      return { ...execution, request: { ...execution.request, traceparent: span.traceparent } };
    },
  };
}

type WithTrace = (
  execution: Parameters<AcceptCallOptions["accept"]>[0],
) => Parameters<AcceptCallOptions["accept"]>[0];

/** What the API and imports accept begins a trace, as a call from HubSpot does. */
export function traceAccepting(tracing: Tracing | undefined): TraceAccepting {
  if (tracing === undefined) return (_what, _portalId, accept) => accept(undefined);
  return (what, portalId, accept) =>
    tracing.during(
      `accept ${what}`,
      {
        kind: what === "import" ? "internal" : "server",
        attributes: { "hubspot.portal_id": String(portalId) },
      },
      (span) => accept(span.traceparent),
    );
}

/** Every request to HubSpot is a span of whatever sends it. */
export function traceRequests(tracing: Tracing | undefined): Pick<TransportOptions, "around"> {
  if (tracing === undefined) return {};
  return {
    around: ({ method, path }, send) => {
      const route = routeTemplate(path);
      const attributes = { "http.request.method": method, "http.route": route };
      return tracing.during(`${method} ${route}`, { kind: "client", attributes }, async (span) => {
        const response = await send();
        span.set({ "http.response.status_code": response.status });
        return response;
      });
    },
  };
}

/** Every attempt and every completion is a span of the call it is for. */
export function traceDrain(
  tracing: Tracing | undefined,
): Pick<DrainOptions, "aroundAttempt" | "onCompletions"> {
  if (tracing === undefined) return {};
  return {
    aroundAttempt: (portalId, execution, attempt) =>
      tracing.during(
        `attempt ${execution.kind}`,
        {
          parent: execution.traceparent,
          attributes: {
            "hubspot.portal_id": String(portalId),
            "hubspot.callback_id": execution.callbackId,
            "sequence_enroller.execution_id": String(execution.id),
            "sequence_enroller.attempt": execution.attempts,
            "sequence_enroller.is_in_doubt": execution.state === "UNCERTAIN",
            "sequence_enroller.waited_ms": Math.round(execution.ageMs),
          },
        },
        async (span) => {
          const result = await attempt();
          span.set({ "sequence_enroller.outcome": attemptOutcome(result) });
          return result;
        },
      ),
    onCompletions: (results, { portalId, owed, startedAt }) => {
      const parents = new Map(owed.map(({ id, traceparent }) => [id, traceparent]));
      const endedAt = new Date();
      for (const { id, to } of results)
        tracing.note("complete", {
          kind: "client",
          parent: parents.get(id),
          startedAt,
          endedAt,
          attributes: {
            "hubspot.portal_id": String(portalId),
            "sequence_enroller.execution_id": String(id),
            "sequence_enroller.completion": to,
          },
        });
    },
  };
}
