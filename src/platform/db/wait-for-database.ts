import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "#platform/observability/logger.js";
import { AppError } from "../../errors.js";
import { DatabaseUnreachable } from "./errors.js";
import { databaseTroubleOf } from "./storage-faults.js";

const RETRY_MS = 1_000;
/** Half a minute: a server that starts, or a failover, takes less. */
const PATIENCE_MS = 30_000;

export interface Wait {
  /** How long to wait for a server that is not there yet, or not ready; by default half a minute. */
  readonly patienceMs?: number;
  readonly logger: Logger;
  /** Ends the wait. */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Repeats a step of a start that needs the database as long as the database may only be starting, waking up, far away
 * or gone for a moment. What connected a moment ago may not connect now, so every step of a start needs it.
 *
 * @param step can be repeated, and leaves nothing open when it fails.
 * @throws DatabaseUnreachable if the database is not there in time; the message says what can be done.
 * @throws what else the step throws, at once; the reason of `stopping`.
 */
export async function waitForDatabase<Result>(step: () => Promise<Result>, wait: Wait): Promise<Result> {
  const endsAtMs = performance.now() + (wait.patienceMs ?? PATIENCE_MS);
  for (;;) {
    wait.stopping?.throwIfAborted();
    try {
      return await step();
    } catch (error) {
      wait.stopping?.throwIfAborted();
      if (!mayPass(error)) throw error;
      if (performance.now() > endsAtMs) throw unreachable(error);
      wait.logger.warn({ problem: problemOf(error) }, "the database cannot be reached yet: trying again");
      await sleep(RETRY_MS, undefined, { signal: wait.stopping });
    }
  }
}

const NO_TLS = /does not support SSL/;

interface ConnectFault {
  readonly code?: string;
  readonly message: string;
}

/** Error codes of the network and the resolver, and PostgreSQL's: too many connections, starting up or stopping. */
const MAY_PASS =
  /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|EAI_AGAIN|ENOTFOUND|53300|57P0[123])$/;

function mayPass(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof AppError) return false;
  const { code } = error as ConnectFault;
  if (code !== undefined) return MAY_PASS.test(code);
  // The driver's own faults (timeout, connection ended) have no code, and no class either.
  return error.constructor === Error && !NO_TLS.test(error.message);
}

/** The fault of a connection as a sentence for the operator. */
export function unreachable(error: unknown): DatabaseUnreachable {
  return new DatabaseUnreachable(`The database cannot be reached: ${problemOf(error)}. ${wayOut(error)}`, {
    cause: error,
  });
}

function problemOf(error: unknown): string {
  const { code, message } = error as ConnectFault;
  // For a name with several addresses, the error has an empty message and the code of the first.
  return message === "" ? (code ?? "no answer") : message;
}

function wayOut(error: unknown): string {
  const { code, message } = error as ConnectFault;
  const trouble = databaseTroubleOf(error);
  if (trouble !== undefined) return trouble.todo;
  if (/timeout|timed out/i.test(message))
    return "If it only takes long to connect to, set DATABASE_CONNECT_TIMEOUT_MS; otherwise check DATABASE_URL, and whether a firewall lets the app through.";
  if (/^connect (?:ENOENT|EACCES) /.test(message))
    return "Its host is a folder with PostgreSQL's socket, where there is none for this account: check DATABASE_URL, and whether the server runs.";
  if (code === "ENOENT" || code === "EACCES")
    return "A file that DATABASE_URL names (sslrootcert, sslcert, sslkey) cannot be read.";
  if (NO_TLS.test(message)) return "DATABASE_URL asks for TLS (sslmode), which the server does not offer.";
  if (code === "ERR_INVALID_URL")
    return "In DATABASE_URL, characters such as @ / ? # % : of a user or password are written as %40 %2F %3F %23 %25 %3A, and the port is at most 65535.";
  return "Check DATABASE_URL.";
}
