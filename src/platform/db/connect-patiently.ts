import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "#platform/observability/logger.js";
import { databaseTroubleOf } from "./storage-faults.js";
import { DatabaseUnreachable } from "./errors.js";
import { KEEP_ALIVE } from "./session.js";
import { unlessStopped } from "#platform/time/orderly-stop.js";

const RETRY_MS = 1_000;

export interface ConnectOptions {
  readonly url: string;
  readonly applicationName: string;
  /** How long one attempt may take. */
  readonly timeoutMs: number;
  /** How long to wait for a server that is not there yet, or not ready. */
  readonly patienceMs: number;
  readonly logger: Logger;
  /** Ends the wait. */
  readonly stopping?: AbortSignal | undefined;
}

/**
 * Connects to a server that may be starting, waking up or far away: composed services, a host after a power cut, a
 * database that sleeps.
 *
 * @throws DatabaseUnreachable if it is not there in time, or at once if waiting cannot help; the message says what can.
 * @throws the reason of `stopping`.
 */
export async function connectPatiently(options: ConnectOptions): Promise<pg.Client> {
  const endsAt = Date.now() + options.patienceMs;
  for (;;) {
    options.stopping?.throwIfAborted();
    try {
      return await connectOnce(options);
    } catch (error) {
      options.stopping?.throwIfAborted();
      if (!mayPass(error) || Date.now() > endsAt) throw unreachable(error);
      options.logger.warn({ problem: problemOf(error) }, "the database cannot be reached yet: trying again");
      await sleep(RETRY_MS, undefined, { signal: options.stopping });
    }
  }
}

async function connectOnce({
  url,
  applicationName,
  timeoutMs,
  stopping,
}: ConnectOptions): Promise<pg.Client> {
  // Reads the files that the URL names, too.
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: timeoutMs,
    ...KEEP_ALIVE,
  });
  // A connection lost under a query rejects that query too; without a listener it would end the process first.
  client.on("error", () => undefined);
  await unlessStopped(client.connect(), stopping);
  return client;
}

interface ConnectFault {
  readonly code?: string;
  readonly message: string;
}

/** Error codes of the network and the resolver, and PostgreSQL's: too many connections, starting up or stopping. */
const MAY_PASS =
  /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|EAI_AGAIN|ENOTFOUND|53300|57P0[123])$/;

function mayPass(error: unknown): boolean {
  const { code } = error as ConnectFault;
  // The driver's own faults (timeout, connection ended) have no code.
  return code === undefined || MAY_PASS.test(code);
}

function unreachable(error: unknown): DatabaseUnreachable {
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
  if (/^connect (?:ENOENT|EACCES) /.test(message))
    return "Its host is a folder with PostgreSQL's socket, where there is none for this account: check DATABASE_URL, and whether the server runs.";
  if (code === "ENOENT" || code === "EACCES")
    return "A file that DATABASE_URL names (sslrootcert, sslcert, sslkey) cannot be read.";
  if (message.includes("does not support SSL"))
    return "DATABASE_URL asks for TLS (sslmode), which the server does not offer.";
  if (code === "ERR_INVALID_URL")
    return "In DATABASE_URL, characters such as @ / ? # % : of a user or password are written as %40 %2F %3F %23 %25 %3A, and the port is at most 65535.";
  return "Check DATABASE_URL.";
}
