import type { Pool } from "pg";
import { DatabaseUnusable } from "./errors.js";
import { APP_TABLES } from "./tables.js";

/** pg-boss's own schema; everything in it belongs to pg-boss. */
const QUEUE_SCHEMA = "pgboss";

/** The app's tables with their sequences, and all of the queue's tables, if they exist already. */
const LACKING = `
  WITH own AS (
    SELECT c.oid, c.relkind, n.oid AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S') AND (n.nspname = $2 OR n.nspname = current_schema() AND (
           c.relname = ANY($1::text[]) OR c.relkind = 'S' AND EXISTS (
             SELECT FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid
              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND t.relname = ANY($1::text[]))))
  )
  SELECT 'schema ' || schema::regnamespace AS name FROM own GROUP BY schema
   HAVING NOT has_schema_privilege(schema, 'USAGE')
   UNION ALL
  SELECT CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || oid::regclass FROM own
   WHERE CASE relkind WHEN 'S' THEN NOT has_sequence_privilege(oid, 'USAGE') ELSE NOT (
           has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
           AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')) END
   ORDER BY name`;

/** How many the message names; the others are probably alike. */
const MOST_NAMED = 5;

/**
 * Checks at start whether the app's role has every right it will need: otherwise each account would run into it in the
 * middle of its work.
 *
 * @throws DatabaseUnusable if it does not; in a rolling update the old processes keep running.
 */
export async function checkRights(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(LACKING, [APP_TABLES, QUEUE_SCHEMA]);
  if (rows.length === 0) return;
  const named = rows.slice(0, MOST_NAMED).map(({ name }) => name);
  const others = rows.length - named.length;
  const list = named.join(", ") + (others > 0 ? ` and ${others} others` : "");
  throw new DatabaseUnusable({ code: "42501", message: `no rights on ${list}` });
}
