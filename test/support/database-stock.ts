import { readdirSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import { query } from "./sql.js";

/** Above this a used database is dropped: emptying it would take longer, and leave what a vacuum has to clear. */
const MOST_BYTES = 2_000_000;

/** Tables, rights on them, and whatever else a test may change about them, of the app's queue too. */
const SHAPE = `
  SELECT md5(string_agg(part, '|' ORDER BY part)) AS shape FROM (
    SELECT concat_ws(' ', relnamespace::regnamespace, relname, relkind, reloptions, relacl) FROM pg_class
     WHERE relnamespace::regnamespace::text !~ '^pg_|^information_schema$'
    UNION ALL
    SELECT concat_ws(' ', attrelid::regclass, attname, atttypid, attnotnull, attisdropped) FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace::regnamespace::text !~ '^pg_|^information_schema$'
    UNION ALL
    SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid <> 0
    UNION ALL
    SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    UNION ALL
    SELECT concat_ws(' ', proname, md5(prosrc)) FROM pg_proc
     WHERE pronamespace::regnamespace::text !~ '^pg_|^information_schema$'
    UNION ALL
    SELECT setconfig::text FROM pg_db_role_setting
     WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION ALL
    SELECT row::text FROM "_prisma_migrations" AS row
    UNION ALL
    SELECT concat_ws(' ', name, policy, retry_limit, retry_delay, heartbeat_seconds, deletion_seconds) FROM pgboss.queue
  ) AS parts (part)`;

/** Rows a test may have left, of every table that is empty in the template; the queue forgets that it was ever looked at. */
const EMPTY = `
  DO $$ DECLARE name regclass; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT oid FROM pg_class
                 WHERE relnamespace IN ('public'::regnamespace, 'pgboss'::regnamespace) AND relkind IN ('r', 'p')
                   AND NOT relispartition AND relname NOT IN ('_prisma_migrations', 'queue', 'version')
    LOOP EXECUTE format('DELETE FROM %s', name); END LOOP;
    UPDATE pgboss.queue SET (deferred_count, queued_count, ready_count, active_count, failed_count, total_count,
        created_delta, completed_delta, failed_delta, ready_history, singletons_active, delta_on, delta_seconds,
        monitor_claim_on, monitor_on, maintain_on)
      = ROW (0, 0, 0, 0, 0, 0, 0, 0, 0, '{}'::int[], NULL::text[], NULL::timestamptz, NULL::int,
        NULL::timestamptz, NULL::timestamptz, NULL::timestamptz);
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences;
  END $$`;

const LEFT_BEHIND = `
  SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
   WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;

/** What a migrated database looks like that nobody has changed. */
export async function shapeOf(url: string): Promise<string> {
  const [found] = await query(url, SHAPE);
  return String(found?.["shape"]);
}

/**
 * Databases that tests have used and emptied, for all files and processes of a run: copying the template costs a third of
 * a second of processor time, emptying a copy a tenth of that. Each is a file with its name; who removes it has it.
 */
export interface DatabaseStock {
  /** The name of an empty one, if there is one. */
  take(): string | undefined;
  /** Empties one and keeps it, unless its test changed more than rows, or made it large; returns whether it was kept. */
  giveBack(database: { url: string; name: string }): Promise<boolean>;
}

export function openDatabaseStock({ folder, shape }: { folder: string; shape: string }): DatabaseStock {
  return {
    take: () =>
      readdirSync(folder).find((name) => {
        try {
          unlinkSync(path.join(folder, name));
          return true;
        } catch {
          return false;
        }
      }),
    async giveBack({ url, name }) {
      try {
        if (!(await emptied(url, shape))) return false;
      } catch {
        // Whatever a test did to it, or to the server: a new copy is always right.
        return false;
      }
      writeFileSync(path.join(folder, name), "");
      return true;
    },
  };
}

async function emptied(url: string, shape: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, application_name: "sequence-enroller tests" });
  await client.connect();
  try {
    await client.query(LEFT_BEHIND);
    const { rows: sizes } = await client.query<{ bytes: string }>(
      `SELECT pg_table_size('executions') AS bytes`,
    );
    if (Number(sizes[0]?.bytes) > MOST_BYTES) return false;
    const { rows: shapes } = await client.query<{ shape: string }>(SHAPE);
    if (shapes[0]?.shape !== shape) return false;
    await client.query(EMPTY);
    return true;
  } finally {
    await client.end();
  }
}
