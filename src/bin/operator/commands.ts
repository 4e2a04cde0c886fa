import { setTimeout as sleep } from "node:timers/promises";
import { countOutcomesOfADay, listPortalHealth, type PortalHealth } from "#domain/accounts/portal-health.js";
import { setPaused } from "#domain/accounts/portal-pause.js";
import { listRecentAlerts } from "#domain/alerts/recent-alerts.js";
import { listAuditEntries } from "#domain/audit/list-entries.js";
import type { System } from "#domain/contract/actor.js";
import { listDeliveries, redeliver } from "#domain/subscriptions/deliveries.js";
import { listWebhooks } from "#domain/subscriptions/webhook.js";
import type { Cipher } from "#domain/vault/cipher.js";
import { createTokenStore } from "#domain/vault/store.js";
import { eraseAccount } from "#domain/accounts/erase-account.js";
import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { openDrainQueue } from "#platform/queue/drain-queue.js";
import type { Logger } from "#platform/observability/logger.js";
import { EXIT, WrongUse, type Command } from "./arguments.js";

/** What commands work with. */
export interface Tools {
  readonly database: Database;
  readonly logger: Logger;
  /** Made when it is needed: most commands need no keys. */
  readonly cipher: () => Cipher;
}

/** What a command has to say: lines for people, a document for programs. */
export interface CommandReport {
  readonly lines: readonly string[];
  readonly document: unknown;
  readonly exitCode: number;
}

type Work = (tools: Tools, portalId: PortalId, command: Command) => Promise<CommandReport>;

const done = (document: object, ...lines: string[]): CommandReport => ({
  lines,
  document,
  exitCode: EXIT.done,
});
const failed = (problem: string): CommandReport => ({
  lines: [problem],
  document: { problem },
  exitCode: EXIT.failed,
});

const operatorOf = (portalId: PortalId): System => ({ kind: "system", portalId, part: "operator" });

function describe(health: PortalHealth): string {
  const { portalId, hubDomain, trouble, isAtWork, waiting, unreported, dueSince } = health;
  const state = trouble ?? (isAtWork ? "at work" : "idle");
  const due = dueSince === null ? "nothing due" : `due since ${dueSince.toISOString()}`;
  return [portalId, state, `${waiting} waiting`, `${unreported} unreported`, due, hubDomain ?? ""].join("\t");
}

/** Every account. */
export async function listPortals({ database }: Tools): Promise<CommandReport> {
  const portals = await listPortalHealth(database.pool);
  const lines = portals.length === 0 ? ["No account has the app."] : portals.map(describe);
  return done({ portals }, ...lines);
}

const showPortal: Work = async ({ database }, portalId) => {
  const { pool } = database;
  const [health] = await listPortalHealth(pool, portalId);
  const [outcomes, alerts, audit] = await Promise.all([
    countOutcomesOfADay(pool, portalId),
    listRecentAlerts(pool, portalId),
    listAuditEntries(database, portalId, {}),
  ]);
  return done(
    { ...health, outcomes, alerts, audit: audit.items },
    health === undefined ? "" : describe(health),
    "Results of the last 24 hours:",
    ...(outcomes.length === 0 ? ["  none"] : outcomes.map((row) => `  ${row.executions}\t${row.outcome}`)),
    "Alerts:",
    ...(alerts.length === 0
      ? ["  none"]
      : alerts.map(({ raisedAt, kind, message }) => `  ${raisedAt.toISOString()}\t${kind}\t${message}`)),
    "Last changes:",
    ...(audit.items.length === 0
      ? ["  none"]
      : audit.items.map(
          ({ at, userEmail, action, subject, subjectName }) =>
            `  ${at.toISOString()}\t${userEmail ?? "somebody"}\t${action}\t${subject}\t${subjectName}`,
        )),
  );
};

const pause: Work = async ({ database }, portalId) => {
  await setPaused(database.pool, operatorOf(portalId), true);
  return done(
    { portalId, paused: true },
    `Account ${portalId} is paused: calls are kept, nobody is enrolled.`,
  );
};

const resume: Work = async ({ database }, portalId) => {
  await setPaused(database.pool, operatorOf(portalId), false);
  return done({ portalId, paused: false }, `Account ${portalId} goes on.`);
};

const LOOK_EVERY_MS = 500;

const drain: Work = async ({ database, logger }, portalId, { waitSeconds }) => {
  const queue = await openDrainQueue({
    databaseUrl: database.url,
    logger,
    applicationName: "sequence-enroller operator",
  });
  try {
    await queue.wake([portalId]);
    const untilMs = performance.now() + waitSeconds * 1_000;
    for (;;) {
      const [health] = await listPortalHealth(database.pool, portalId);
      const isDrained = health?.dueSince === null;
      if (isDrained || performance.now() >= untilMs) return toldOf(portalId, health, waitSeconds > 0);
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await queue.stop({ graceMs: 0 });
  }
};

function toldOf(portalId: PortalId, health: PortalHealth | undefined, hasWaited: boolean): CommandReport {
  const isDrained = health?.dueSince === null;
  const document = { portalId, isDrained, waiting: health?.waiting, unreported: health?.unreported };
  if (isDrained) return done(document, `Account ${portalId}: nothing is due.`);
  const left = `${health?.waiting ?? 0} waiting, ${health?.unreported ?? 0} unreported`;
  if (!hasWaited) return done(document, `Account ${portalId}: a worker is asked to take it up (${left}).`);
  const trouble = health?.trouble == null ? "" : `; ${health.trouble}`;
  return {
    lines: [`Account ${portalId} is not drained: ${left}${trouble}.`],
    document,
    exitCode: EXIT.failed,
  };
}

/** Of one webhook, in one run: each is a message to somebody's program. */
const MOST_AGAIN = 1_000;

const redeliverGivenUp: Work = async ({ database: { pool }, cipher }, portalId, { webhookId }) => {
  const store = { pool, database: pool, cipher: cipher() };
  const webhooks = (await listWebhooks(store, portalId)).filter(
    ({ id }) => webhookId === undefined || id === webhookId,
  );
  if (webhooks.length === 0) return failed(`Account ${portalId} has no such webhook. Nothing was changed.`);
  const results: Record<string, number> = {};
  for (const { id } of webhooks) {
    const given = await listDeliveries(pool, {
      portalId,
      webhookId: id,
      limit: MOST_AGAIN,
      state: "GIVEN_UP",
    });
    for (const delivery of given) {
      const { kind } = await redeliver(store, operatorOf(portalId), {
        webhookId: id,
        deliveryId: delivery.id,
      });
      results[kind] = (results[kind] ?? 0) + 1;
    }
  }
  const { requested = 0, "switched-off": off = 0 } = results;
  const offLine = off === 0 ? [] : [`${off} are of webhooks that are switched off, and were left.`];
  return done({ portalId, requested, switchedOff: off }, `${requested} messages are sent again.`, ...offLine);
};

const erase: Work = async ({ database: { pool } }, portalId, { isMeant }) => {
  if (!isMeant) throw new WrongUse("This cannot be undone: add --yes.");
  const tokens = createTokenStore({ pool, mayTakeOver: () => Promise.resolve(false) });
  await tokens.disconnect({ actor: operatorOf(portalId), reason: "The operator deleted the account." });
  const outcome = await eraseAccount(pool, { portalId });
  if (outcome.kind !== "erased") return failed("Someone connected the account meanwhile; run it again.");
  return done({ portalId, rows: outcome.rows }, `Account ${portalId}: ${outcome.rows} rows deleted.`);
};

const COMMANDS: Readonly<Record<string, Work>> = {
  portal: showPortal,
  pause,
  resume,
  drain,
  redeliver: redeliverGivenUp,
  erase,
};

/** Does what the command says. An account that never had the app is told apart from all else that can go wrong. */
export async function runCommand(tools: Tools, command: Command): Promise<CommandReport> {
  const { name, portalId } = command;
  const work = COMMANDS[name];
  if (portalId === undefined || work === undefined) return listPortals(tools);
  const [known] = await listPortalHealth(tools.database.pool, portalId);
  if (known !== undefined) return work(tools, portalId, command);
  const problem = `Account ${portalId} does not have the app, and nothing of it is stored. Nothing was changed.`;
  return { lines: [problem], document: { problem, portalId }, exitCode: EXIT.unknownPortal };
}
