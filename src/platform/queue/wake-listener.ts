import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { KEEP_ALIVE, prepareSession } from "#platform/db/session.js";
import type { Logger } from "#platform/observability/logger.js";

const STATEMENT_TIMEOUT_MS = 5_000;
/** A silently lost connection is noticed by the check that gets no answer. */
const LOOK_INTERVAL_MS = 10_000;
const RECONNECT_MS = [0, 500, 1_000, 2_000, 5_000];

export interface WakeListenerOptions {
  databaseUrl: string;
  applicationName: string;
  /** How long the connection may take. */
  connectTimeoutMs: number;
  channel: string;
  /** Called with each wake, and after each (re)connect, since wakes in between were missed. */
  onWake: () => void;
  logger: Logger;
}

/**
 * Receives the wakes of other processes, on its own connection that is reopened whenever it is lost. Wakes are hints:
 * until it is back, the regular polls find the work.
 *
 * @returns a function that stops it.
 */
export function startWakeListener(options: WakeListenerOptions): () => Promise<void> {
  const stopping = new AbortController();
  const running = listenForEver(options, stopping.signal);
  return async () => {
    stopping.abort();
    await running;
  };
}

async function listenForEver(options: WakeListenerOptions, stopping: AbortSignal): Promise<void> {
  for (let failures = 0; !stopping.aborted; failures += 1) {
    try {
      await pause(RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)] ?? 0, stopping);
      await listen(options, stopping, () => (failures = 0));
    } catch (error) {
      if (!stopping.aborted) options.logger.warn({ err: error }, "wakes are not received; reconnecting");
    }
  }
}

/** Resolves when the connection is lost, or on stop. */
async function listen(
  { databaseUrl, applicationName, connectTimeoutMs, channel, onWake }: WakeListenerOptions,
  stopping: AbortSignal,
  onListening: () => void,
): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: STATEMENT_TIMEOUT_MS,
    ...KEEP_ALIVE,
  });
  // The next check fails; without a listener the loss would end the process.
  client.on("error", () => undefined);
  client.on("notification", onWake);
  const lost = new AbortController();
  client.on("end", () => {
    lost.abort();
  });
  try {
    await client.connect();
    await prepareSession(client, {
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      lockTimeoutMs: STATEMENT_TIMEOUT_MS,
    });
    await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    onListening();
    onWake();
    const ended = AbortSignal.any([stopping, lost.signal]);
    while (!ended.aborted) {
      await pause(LOOK_INTERVAL_MS, ended);
      if (!stopping.aborted) await client.query("SELECT 1");
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

function pause(ms: number, until: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: until }).catch(() => undefined);
}
