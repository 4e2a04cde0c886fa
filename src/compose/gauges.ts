import { readServiceFigures, type Depth, type ServiceFigures } from "#domain/accounts/service-figures.js";
import type { Database } from "#platform/db/client.js";
import { addGauge, readAtMost, type ReadGauge, type Sample } from "#platform/observability/metrics/gauges.js";
import type { Metrics } from "#platform/observability/metrics/metrics.js";
import type { DrainQueue } from "#platform/queue/drain-queue.js";
import type { PaceNotes } from "#platform/queue/portal-pace.js";
import { countStoppedPortals } from "#platform/queue/stopped-portals.js";
import type { Config } from "../config.js";
import { appVersion } from "./app-version.js";

/** How old what was counted in the database may be: every process counts it for itself. */
const FIGURES_FRESH_MS = 15_000;

interface Sources {
  readonly config: Pick<Config, "role" | "isProduction">;
  readonly database: Pick<Database, "pool">;
  readonly siteDatabase: Pick<Database, "pool"> | undefined;
  readonly queue: Pick<DrainQueue, "countJobs">;
}

function samplesBy<Value>(
  label: string,
  values: ReadonlyMap<string, Value>,
  valueOf: (value: Value) => number,
): Sample[] {
  return [...values].map(([key, value]) => ({ labels: { [label]: key }, value: valueOf(value) }));
}

/** What a process sees when it is asked: of itself, and of all accounts together. */
export function addGauges(metrics: Metrics, sources: Sources): void {
  const { pool } = sources.database;
  const gauges = [
    buildInfo(sources.config),
    ...connectionGauges(sources),
    ...storedGauges(readAtMost(FIGURES_FRESH_MS, () => readServiceFigures(pool))),
    {
      name: "queue_jobs",
      help: "Jobs in the queue's table, finished ones included; those go within two minutes",
      read: async () => [{ value: await sources.queue.countJobs() }],
    },
    {
      name: "portals_stopped",
      help: "Accounts whose calls keep failing: HUBSPOT does not answer, or the code of a fault of our own setup",
      labelNames: ["cause"],
      read: async () => samplesBy("cause", await countStoppedPortals(pool), (portals) => portals),
    },
  ];
  for (const gauge of gauges) addGauge(metrics, gauge);
}

function buildInfo({ role }: Sources["config"]): ReadGauge {
  const labels = { version: appVersion(), node: process.version, role };
  return {
    name: "build_info",
    help: "Always 1: which version runs here, on which Node, in which role",
    labelNames: Object.keys(labels),
    read: () => [{ labels, value: 1 }],
  };
}

function connectionGauges({ database, siteDatabase }: Sources): ReadGauge[] {
  const pools = [
    ["work", database.pool],
    ...(siteDatabase === undefined ? [] : ([["site", siteDatabase.pool]] as const)),
  ] as const;
  return [
    {
      name: "database_connections",
      help: "Connections of this process, by pool: busy or idle",
      labelNames: ["pool", "state"],
      read: () =>
        pools.flatMap(([pool, { totalCount, idleCount }]) => [
          { labels: { pool, state: "busy" }, value: totalCount - idleCount },
          { labels: { pool, state: "idle" }, value: idleCount },
        ]),
    },
    {
      name: "database_pool_waiting",
      help: "Queries of this process that wait for a connection now, by pool",
      labelNames: ["pool"],
      read: () => pools.map(([pool, { waitingCount }]) => ({ labels: { pool }, value: waitingCount })),
    },
  ];
}

function storedGauges(figures: () => Promise<ServiceFigures>): ReadGauge[] {
  const countOf = ({ count }: Depth) => count;
  const ageOf = ({ oldestDueSeconds }: Depth) => oldestDueSeconds;
  return [
    {
      name: "executions",
      help: "Open executions of all accounts by state",
      labelNames: ["state"],
      read: async () => samplesBy("state", (await figures()).executions, countOf),
    },
    {
      name: "oldest_due_execution_age_seconds",
      help: "How long the first execution of a state has been due, in accounts that may be worked on",
      labelNames: ["state"],
      read: async () => samplesBy("state", (await figures()).executions, ageOf),
    },
    {
      name: "portals",
      help: "Accounts by status",
      labelNames: ["status"],
      read: async () => samplesBy("status", (await figures()).portals, (portals) => portals),
    },
    {
      name: "portals_paused",
      help: "Connected accounts that an admin or the operator paused",
      read: async () => [{ value: (await figures()).pausedPortals }],
    },
    {
      name: "portals_unattended",
      help: "Accounts with work due for five minutes that no worker took up meanwhile",
      read: async () => [{ value: (await figures()).unattendedPortals }],
    },
    {
      name: "webhooks_pending",
      help: "Messages to customers' programs that are not taken yet",
      read: async () => [{ value: (await figures()).webhooks.count }],
    },
    {
      name: "oldest_due_webhook_age_seconds",
      help: "How long the first message to a customer's program has been due to be sent",
      read: async () => [{ value: (await figures()).webhooks.oldestDueSeconds }],
    },
    {
      name: "imports",
      help: "Imports that are being read, checked or run",
      labelNames: ["state"],
      read: async () => samplesBy("state", (await figures()).imports, (imports) => imports),
    },
    {
      name: "database_size_bytes",
      help: "Size of the database on its disk, indexes included",
      read: async () => [{ value: (await figures()).databaseBytes }],
    },
  ];
}

/** What this process uses of the request budgets of the accounts that it works on now. */
export function gaugeBudgets(metrics: Metrics, paces: Pick<PaceNotes, "use">): void {
  addGauge(metrics, {
    name: "portals_at_work",
    help: "Accounts that this process works on now",
    read: () => [{ value: paces.use().portals }],
  });
  addGauge(metrics, {
    name: "budget_requests_used",
    help: "Requests in HubSpot's windows now, of all accounts that this process works on",
    read: () => [{ value: paces.use().counted }],
  });
  addGauge(metrics, {
    name: "budget_requests_limit",
    help: "Requests that HubSpot's windows may hold, of all accounts that this process works on",
    read: () => [{ value: paces.use().limit }],
  });
}
