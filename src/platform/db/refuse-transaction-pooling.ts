import { randomBytes } from "node:crypto";
import type pg from "pg";
import { DatabasePoolerUnsupported } from "./errors.js";

const NOTE = "SELECT set_config('sequence_enroller.session', $1, false)";
const READ = "SELECT current_setting('sequence_enroller.session', true) AS note, pg_backend_pid() AS pid";
/**
 * Nothing is configured yet, and another default timeout might end the transaction while the other client is queried.
 */
const BEGIN = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = '15s'";

interface Seen {
  readonly note: string | null;
  readonly pid: number;
}

/**
 * Behind a pooler that lends a connection for a transaction or a statement only, one client's settings and locks end up
 * with another and LISTEN receives nothing. Two clients detect that: the other one sees what the first one sets, or the
 * first one gets another server process once the second is in a transaction.
 *
 * @param one a connection on which nothing is set yet.
 * @param other a second one to the same address.
 * @throws DatabasePoolerUnsupported if it is so.
 */
export async function refuseTransactionPooling(one: pg.Client, other: pg.Client): Promise<void> {
  const note = randomBytes(8).toString("hex");
  await one.query(NOTE, [note]);
  const before = await read(one);
  await other.query(BEGIN).catch((error: unknown) => {
    throw refusal(error);
  });
  const elsewhere = await read(other);
  const isShared = elsewhere.note === note || (await isMoved(one, { note, pid: before.pid }));
  await other.query("ROLLBACK");
  if (isShared) throw refusal();
}

async function isMoved(client: pg.Client, before: Seen): Promise<boolean> {
  const now = await read(client);
  return now.pid !== before.pid || now.note !== before.note;
}

async function read(client: pg.Client): Promise<Seen> {
  const { rows } = await client.query<Seen>(READ);
  return rows[0] ?? { note: null, pid: 0 };
}

function refusal(cause?: unknown): DatabasePoolerUnsupported {
  return new DatabasePoolerUnsupported(
    "DATABASE_URL leads to a pooler that shares connections between transactions. The app needs sessions of its own, for locks and LISTEN: " +
      "set pool_mode = session for this database (PgBouncer), or use the server's own address.",
    { cause },
  );
}
