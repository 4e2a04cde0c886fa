import { timingSafeEqual } from "node:crypto";
import { Router } from "express";
import { Counter, Gauge, Registry, collectDefaultMetrics } from "prom-client";

/** What this process counts, in a registry of its own. Labels are of few values: never a portal, contact or user. */
export interface Metrics {
  readonly registry: Registry;
  /** Calls of the enroll action by what became of them. */
  readonly accepted: Counter<"result">;
  /** Requests to HubSpot by method and status. */
  readonly hubspotRequests: Counter<"method" | "status">;
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
    hubspotClockAhead: new Gauge({
      name: "sequence_enroller_hubspot_clock_ahead_seconds",
      help: "How far HubSpot's clock is ahead of this machine's, by the dates of its answers; negative: behind",
      registers: [registry],
    }),
  };
}

/** Adds the number of jobs in the queue's table, as `countJobs` tells it whenever it is asked for; left out if it fails. */
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

function isBearer(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? "");
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** `GET /metrics` in Prometheus' text format; behind a bearer token where one is configured. */
export function createMetricsRouter(options: { registry: Registry; token: string | undefined }): Router {
  const router = Router();
  router.get("/metrics", async (request, response) => {
    if (options.token !== undefined && !isBearer(request.headers.authorization, options.token)) {
      response
        .status(401)
        .set("WWW-Authenticate", "Bearer")
        .send("A bearer token is needed (METRICS_TOKEN).\n");
      return;
    }
    response.type(options.registry.contentType).send(await options.registry.metrics());
  });
  return router;
}
