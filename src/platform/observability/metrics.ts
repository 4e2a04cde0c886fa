import { createHash, timingSafeEqual } from "node:crypto";
import { Router } from "express";
import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";

/** What this process counts, in a registry of its own. Labels have few values: never a portal, contact or user. */
export interface Metrics {
  readonly registry: Registry;
  /** Calls of the enroll action by result. */
  readonly accepted: Counter<"result">;
  /** Requests to HubSpot by method and status. */
  readonly hubspotRequests: Counter<"method" | "status">;
  /** Calls with a valid v2 signature and an invalid v3. */
  readonly badV3Signatures: Counter;
  /** Outcomes that HubSpot refused although it should still have held the contact. */
  readonly holdsCutShort: Counter;
  /** Requests that our own fault prevented, by its code. */
  readonly ownFaults: Counter<"cause">;
  /** How far HubSpot's clock is ahead of this machine's. */
  readonly hubspotClockAhead: Gauge;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    accepted: new Counter({
      name: "sequence_enroller_calls_accepted_total",
      help: "Calls of the enroll action: stored, duplicate, not_connected or failed",
      labelNames: ["result"],
      registers: [registry],
    }),
    hubspotRequests: new Counter({
      name: "sequence_enroller_hubspot_requests_total",
      help: "Requests to HubSpot's API, by method and HTTP status",
      labelNames: ["method", "status"],
      registers: [registry],
    }),
    badV3Signatures: new Counter({
      name: "sequence_enroller_bad_v3_signatures_total",
      help: "Calls accepted by their v2 signature whose v3 signature does not match",
      registers: [registry],
    }),
    holdsCutShort: new Counter({
      name: "sequence_enroller_holds_cut_short_total",
      help: "Outcomes that HubSpot refused before the end of the hold it was asked for",
      registers: [registry],
    }),
    ownFaults: new Counter({
      name: "sequence_enroller_own_faults_total",
      help: "Tokens that could not be had, and statements that the database refused, for a fault of our own setup, by its code",
      labelNames: ["cause"],
      registers: [registry],
    }),
    hubspotClockAhead: new Gauge({
      name: "sequence_enroller_hubspot_clock_ahead_seconds",
      help: "How far HubSpot's clock is ahead of this machine's, by the dates of its answers; negative: behind",
      registers: [registry],
    }),
  };
}

/** Adds the number of jobs in the queue's table, from `countJobs` at each scrape; left out if it fails. */
export function gaugeQueueJobs(
  { registry }: Pick<Metrics, "registry">,
  countJobs: () => Promise<number>,
): void {
  new Gauge({
    name: "sequence_enroller_queue_jobs",
    help: "Jobs in the queue's table, finished ones included; those go within two minutes",
    registers: [registry],
    async collect() {
      this.reset();
      await countJobs().then(
        (count) => {
          this.set(count);
        },
        () => undefined,
      );
    },
  });
}

/** Accounts that cannot work, by cause, from `count` at each scrape; left out if it fails. */
export function gaugeStoppedPortals(
  { registry }: Pick<Metrics, "registry">,
  count: () => Promise<ReadonlyMap<string, number>>,
): void {
  new Gauge({
    name: "sequence_enroller_portals_stopped",
    help: "Accounts whose calls keep failing: HUBSPOT does not answer, or the code of a fault of our own setup",
    labelNames: ["cause"],
    registers: [registry],
    async collect() {
      this.reset();
      const counts = await count().catch(() => new Map<string, number>());
      for (const [cause, portals] of counts) this.set({ cause }, portals);
    },
  });
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Takes the same time for any input: digests have one length, and the comparison is timing-safe. */
function isBearer(header: string | undefined, token: string): boolean {
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}

/** Rendering takes milliseconds and a query: within this time every caller gets the same text. */
const RENDER_EVERY_MS = 1_000;

/** All callers share one rendering while it runs or is fresh. */
function sharedRender(registry: Registry): () => Promise<string> {
  let rendered = Promise.resolve("");
  let freshUntilMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs >= freshUntilMs) {
      freshUntilMs = nowMs + RENDER_EVERY_MS;
      rendered = registry.metrics();
    }
    return rendered;
  };
}

/** `GET /metrics` in Prometheus' text format, behind a bearer token. Without one there is no such route in production. */
export function createMetricsRouter(options: {
  registry: Registry;
  token: string | undefined;
  isProduction: boolean;
}): Router {
  const { registry, token, isProduction } = options;
  const router = Router();
  if (token === undefined && isProduction) return router;
  const render = sharedRender(registry);
  router.get("/metrics", async (request, response) => {
    if (token !== undefined && !isBearer(request.headers.authorization, token)) {
      response
        .status(401)
        .set("WWW-Authenticate", "Bearer")
        .send("A bearer token is needed (METRICS_TOKEN).\n");
      return;
    }
    response.type(registry.contentType).send(await render());
  });
  return router;
}
