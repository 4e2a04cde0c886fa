import pg from "pg";
import { OWNER } from "./app-role.js";
import { EmbeddedPostgresUnavailable } from "../errors.js";
import { KEEP_ALIVE, prepareSession } from "../session.js";

/**
 * Advisory lock by which processes share the embedded server: each holds it shared while it lives, so the process that
 * gets it exclusively is the last one and may shut the server down. A new process then waits for the lock until the
 * shutdown disconnects it, and starts the server again.
 */
const PRESENCE_LOCK = 5_361_700_211;

const JOIN_TIMEOUT_MS = 5000;

/**
 * Connects to the app's database, creates it if it is missing, and takes the presence lock.
 *
 * @returns the connection, or undefined if the server is not ready: starting, recovering, shutting down.
 * @throws EmbeddedPostgresUnavailable if the stored password is not the server's.
 */
export async function joinServer(options: {
  port: number;
  password: string;
}): Promise<pg.Client | undefined> {
  try {
    const client = await connect(options, OWNER).catch(async (error: unknown) => {
      if (codeOf(error) !== UNDEFINED_DATABASE) throw error;
      await createDatabase(options);
      return connect(options, OWNER);
    });
    await client.query("SELECT pg_advisory_lock_shared($1)", [PRESENCE_LOCK]);
    return client;
  } catch (error) {
    if (codeOf(error) !== INVALID_PASSWORD) return undefined;
    throw new EmbeddedPostgresUnavailable(
      "The embedded database does not accept the password in DATA_DIR/postgres.password. " +
        "Put the right file back, or remove DATA_DIR to start empty.",
      { cause: error },
    );
  }
}

/** Ends this process's presence and says whether no other is left. The answer holds while the connection is open. */
export async function claimLastPresence(presence: pg.Client): Promise<boolean> {
  try {
    await presence.query("SELECT pg_advisory_unlock_shared($1)", [PRESENCE_LOCK]);
    const { rows } = await presence.query<{ last: boolean }>("SELECT pg_try_advisory_lock($1) AS last", [
      PRESENCE_LOCK,
    ]);
    return rows[0]?.last === true;
  } catch {
    // The server is gone already: nothing to shut down.
    return false;
  }
}

// https://www.postgresql.org/docs/18/errcodes-appendix.html
const INVALID_PASSWORD = "28P01";
const UNDEFINED_DATABASE = "3D000";

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

async function connect(options: { port: number; password: string }, database: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port: options.port,
    user: OWNER,
    password: options.password,
    database,
    application_name: "sequence-enroller presence",
    connectionTimeoutMillis: JOIN_TIMEOUT_MS,
    ...KEEP_ALIVE,
  });
  // The owner watches for "end", which follows; an error without a listener would end the process.
  client.on("error", () => undefined);
  await client.connect();
  // Waiting for the presence lock means waiting for a shutdown, however long it takes.
  await prepareSession(client, { statementTimeoutMs: 0, lockTimeoutMs: 0 });
  return client;
}

async function createDatabase(options: { port: number; password: string }): Promise<void> {
  const client = await connect(options, "postgres");
  try {
    // Another process may create it at the same moment; the connection that follows shows.
    await client.query(`CREATE DATABASE ${OWNER}`).catch(() => undefined);
  } finally {
    await client.end();
  }
}
