import pg from "pg";
import { unlessStopped } from "#platform/time/orderly-stop.js";
import { DatabaseUnreachable } from "./errors.js";
import { KEEP_ALIVE } from "./session.js";
import { unreachable, waitForDatabase, type Wait } from "./wait-for-database.js";

export interface ConnectOptions extends Wait {
  readonly url: string;
  readonly applicationName: string;
  /** How long one attempt may take. */
  readonly timeoutMs: number;
}

/**
 * Connects to a server that may be starting, waking up or far away: composed services, a host after a power cut, a
 * database that sleeps.
 *
 * @throws DatabaseUnreachable if it is not there in time, or at once if waiting cannot help; the message says what can.
 * @throws the reason of `stopping`.
 */
export async function connectPatiently(options: ConnectOptions): Promise<pg.Client> {
  try {
    return await waitForDatabase(() => connectOnce(options), options);
  } catch (error) {
    options.stopping?.throwIfAborted();
    throw error instanceof DatabaseUnreachable ? error : unreachable(error);
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
