import { createManyExplainer } from "#domain/dry-run/explain-many.js";
import { createMailer } from "#domain/alerts/mailer.js";
import { readEnrollment } from "#domain/enrollments/read-enrollments.js";
import { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import { importReserve } from "#platform/hubspot/pace/request-budget.js";
import { createSiteGateways } from "#platform/hubspot/site-gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { takeSiteSlot } from "#platform/queue/site-slots.js";
import { createCloseClient } from "#platform/close/close-client.js";
import { createJournal, type Journal } from "#platform/hubspot/journal/journal-api.js";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import { createPoster } from "#platform/outbound/post.js";
import type { DrainOptions } from "#worker/drain/drain-options.js";
import { createDrain } from "#worker/drain/drain-portal.js";
import { SCHEDULE, startSchedule } from "#worker/schedule.js";
import { openDatabaseClock } from "#worker/sweeps/database-clock.js";
import { hasQueuedWork } from "#worker/sweeps/wake-due-portals.js";
import { WebhookSender } from "#worker/webhooks/webhook-sender.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { PaceNotes } from "#platform/queue/portal-pace.js";
import { countWork } from "./count-work.js";
import { traceAccepting, traceDrain } from "./trace-work.js";
import type { Closers } from "./closers.js";
import type { Foundation } from "./foundation.js";
import { gaugeBudgets } from "./gauges.js";

/** Concurrent requests to HubSpot, besides hung ones; each on its own connection. */
const HUBSPOT_REQUESTS = 256;
/** Portals one process drains at a time, besides those that only wait for HubSpot. */
const DRAIN_CAPACITY = 300;

/** Starts draining portals, and the periodic work. */
export function startWorker(foundation: Foundation, closers: Closers): void {
  const { config, logger, database, queue, directory, forPortal, adjustments } = foundation;
  const { pool } = database;
  const overdueLooks = new OverdueLooks(pool);
  const paces = new PaceNotes(pool);
  const drain = createDrain({
    overdueLooks,
    pool,
    directory,
    logger,
    rateLimit: config.hubspot.rateLimit,
    gate: createFairGate({ places: HUBSPOT_REQUESTS }),
    forPortal,
    hubspotClock: foundation.hubspotClock,
    ...adjustments,
    now: adjustments.senderClock,
    onCutShort: (holds) => {
      foundation.metrics.holdsCutShort.inc(holds);
    },
    ...observeDrain(foundation),
    paces,
  });
  gaugeBudgets(foundation.metrics, paces);
  queue.work(drain, { capacity: DRAIN_CAPACITY, hasWork: (portalId) => hasQueuedWork(pool, portalId) });
  startPeriodicWork(foundation, overdueLooks, closers);
}

/** Counts what the drain does, and traces it if traces are kept. */
function observeDrain({ metrics, tracing }: Foundation): Partial<DrainOptions> {
  const counted = countWork(metrics);
  const traced = traceDrain(tracing);
  return {
    ...counted,
    ...traced,
    onCompletions: (results, sent) => {
      counted.onCompletions(results, sent);
      traced.onCompletions?.(results, sent);
    },
  };
}

/** The channels of alerts are closed after the work that uses them. */
function startPeriodicWork(foundation: Foundation, overdueLooks: OverdueLooks, closers: Closers): void {
  const { config, logger, database, vault, cipher, wake, adjustments } = foundation;
  const { pool } = database;
  const poster = createPoster(config.privateDestinations);
  closers.add(() => poster.close());
  const mailer = config.mail === undefined ? undefined : createMailer(config.mail);
  closers.add(() => Promise.resolve(mailer?.close()));
  const { publicUrl } = config;
  const gatewayOf = gatewaysForImports(foundation);
  const explainMany = createManyExplainer({
    pool,
    directory: foundation.directory,
    gatewayOf,
    now: adjustments.senderClock,
    deadlineHours: config.executionDeadlineHours,
  });
  const webhooks = new WebhookSender({
    pool,
    cipher,
    poster,
    logger,
    readEnrollment: (portalId, id) => readEnrollment(pool, portalId, id),
    onTried: (isTaken) => {
      foundation.metrics.webhooks.inc({ result: isTaken ? "taken" : "not_taken" });
    },
  });
  closers.add(() => webhooks.stop());
  const tools = {
    gatewayOf,
    explainMany,
    closeOf: (apiKey: string) => createCloseClient(config.closeApiUrl, apiKey),
    pool,
    logger,
    wake,
    vault,
    cipher,
    overdueLooks,
    databaseClock: openDatabaseClock(pool),
    poster,
    mailer,
    publicUrl,
    webhooks,
    journal: journalOf(foundation),
    traceAccepting: traceAccepting(foundation.tracing),
  };
  closers.add(startSchedule(SCHEDULE, tools, { intervals: adjustments.workIntervals ?? {}, logger }));
}

function journalOf({ config, oauthApi }: Foundation): Journal | undefined {
  const { apiUrl, readsJournal } = config.hubspot;
  return readsJournal
    ? createJournal({ apiUrl, appToken: (scopes) => oauthApi.appToken(scopes) })
    : undefined;
}

/** For all requests of one slice of an import. */
const SLICE_TIMEOUT_MS = 20_000;

/** Of an account's requests while nobody drains it: a call of a workflow that comes then finds the other half free. */
const IMPORTS_SHARE = 0.5;

/** Imports read contacts a hundred at a time, in the places that the account's share of the site leaves free. */
function gatewaysForImports({
  config,
  database,
  forPortal,
}: Foundation): (portalId: PortalId) => PortalGateway {
  const { rateLimit: limit } = config.hubspot;
  return createSiteGateways({
    forPortal,
    timeoutMs: SLICE_TIMEOUT_MS,
    limit,
    takePlace: (portalId, heldMs, earlier) => {
      const reserve = importReserve(limit, earlier);
      return takeSiteSlot(database.pool, { portalId, heldMs, limit, reserve, share: IMPORTS_SHARE });
    },
  });
}
