import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/**
 * What this process counts, in a registry of its own. Labels have few values, which are known in advance: never a
 * portal, contact or user. docs/metrics.md says what each is good for.
 */
export interface Metrics {
  readonly registry: Registry;
  /** Calls of the actions by result. */
  readonly accepted: Counter<"result">;
  /** From a verified call to its durable storage. */
  readonly acceptSeconds: Histogram;
  /** Requests that HubSpot did not sign for their route, by reason. */
  readonly signaturesRefused: Counter<"reason">;
  /** Answers from HubSpot's API. */
  readonly hubspotRequests: Counter<"method" | "route" | "status">;
  /** Requests that HubSpot did not answer. */
  readonly hubspotUnanswered: Counter<"route" | "reason">;
  /** From sending a request to the head of its answer. */
  readonly hubspotSeconds: Histogram<"route">;
  /** Refreshes of grants by result. */
  readonly tokenRefreshes: Counter<"result">;
  /** Attempts at executions by what came of them. */
  readonly attempts: Counter<"kind" | "outcome">;
  /** Completions by what HubSpot said. */
  readonly completions: Counter<"result">;
  /** Calls with a valid v2 signature and an invalid v3. */
  readonly badV3Signatures: Counter;
  /** Outcomes that HubSpot refused although it should still have held the contact. */
  readonly holdsCutShort: Counter;
  /** Messages sent to customers' programs. */
  readonly webhooks: Counter<"result">;
  /** Queries that had to wait for a connection. */
  readonly poolWaitSeconds: Histogram<"pool">;
  /** Requests that our own fault prevented, by its code. */
  readonly ownFaults: Counter<"cause">;
  /** How far HubSpot's clock is ahead of this machine's. */
  readonly hubspotClockAhead: Gauge;
}

/** All our metrics begin with it; those without are Node's. */
export const PREFIX = "sequence_enroller_";

/** Bounds in seconds: an answer is due within a second; beyond that it is only late. */
const ANSWER_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const HUBSPOT_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const options = (name: string, help: string) => ({ name: PREFIX + name, help, registers: [registry] });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ ...options(name, help), labelNames: [...labelNames] });
  return {
    registry,
    accepted: counter(
      "calls_accepted_total",
      "Calls of the actions: stored, duplicate, not_connected, overloaded or failed",
      ["result"],
    ),
    acceptSeconds: new Histogram({
      ...options("accept_duration_seconds", "From a verified call of an action to its durable storage"),
      buckets: ANSWER_SECONDS,
    }),
    signaturesRefused: counter(
      "signatures_refused_total",
      "Requests answered with 401 because HubSpot did not sign them for their route, by reason",
      ["reason"],
    ),
    hubspotRequests: counter(
      "hubspot_requests_total",
      "Answers from HubSpot's API, by method, route template and HTTP status",
      ["method", "route", "status"],
    ),
    hubspotUnanswered: counter(
      "hubspot_unanswered_total",
      "Requests that HubSpot's API did not answer, by route template; timeout or network",
      ["route", "reason"],
    ),
    hubspotSeconds: new Histogram({
      ...options(
        "hubspot_request_duration_seconds",
        "From sending a request to the head of HubSpot's answer",
      ),
      labelNames: ["route"],
      buckets: HUBSPOT_SECONDS,
    }),
    tokenRefreshes: counter(
      "token_refreshes_total",
      "Refreshes of grants: refreshed, or the code of the failure",
      ["result"],
    ),
    attempts: counter(
      "attempts_total",
      "Attempts at executions by action and outcome: enrollment status, error code, or LATER if it is tried again",
      ["kind", "outcome"],
    ),
    completions: counter(
      "completions_total",
      "Completions sent to HubSpot: completed, refused, abandoned or again",
      ["result"],
    ),
    badV3Signatures: counter(
      "bad_v3_signatures_total",
      "Calls accepted by their v2 signature whose v3 signature does not match",
    ),
    holdsCutShort: counter(
      "holds_cut_short_total",
      "Outcomes that HubSpot refused before the end of the hold it was asked for",
    ),
    webhooks: counter("webhooks_sent_total", "Messages sent to customers' programs: taken or not_taken", [
      "result",
    ]),
    poolWaitSeconds: new Histogram({
      ...options(
        "database_pool_wait_seconds",
        "How long queries waited for a connection, if none was free or could be opened",
      ),
      labelNames: ["pool"],
      buckets: ANSWER_SECONDS,
    }),
    ownFaults: counter(
      "own_faults_total",
      "Tokens that could not be had, and statements that the database refused, for a fault of our own setup, by its code",
      ["cause"],
    ),
    hubspotClockAhead: new Gauge(
      options(
        "hubspot_clock_ahead_seconds",
        "How far HubSpot's clock is ahead of this machine's, by the dates of its answers; negative: behind",
      ),
    ),
  };
}
