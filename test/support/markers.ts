import type { Pool, PoolClient } from "pg";

interface Column {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** As PostgreSQL calls it; arrays begin with "_". */
  readonly type: string;
  /** The database counts it up: a number planted there would be drawn again, and the next row refused for it. */
  readonly isNumbered: boolean;
}

const COLUMNS = `
  SELECT c.table_schema AS schema, c.table_name AS table, c.column_name AS column, c.udt_name AS type,
         coalesce(c.column_default LIKE 'nextval(%', false) AS "isNumbered"
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
   WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
   ORDER BY c.table_schema, c.table_name, c.ordinal_position`;

const nameOf = ({ schema, table }: Column): string => (schema === "public" ? table : `${schema}.${table}`);

/** Every table of the database with its columns. */
async function listTables(db: Pool | PoolClient): Promise<Map<string, Column[]>> {
  const { rows } = await db.query<Column>(COLUMNS);
  const tables = new Map<string, Column[]>();
  for (const column of rows) {
    const name = nameOf(column);
    tables.set(name, [...(tables.get(name) ?? []), column]);
  }
  return tables;
}

/** Something that fits the column, and holds the marker if it can. */
function valueFor({ type }: Column, marker: string): unknown {
  if (["text", "varchar"].includes(type)) return marker;
  if (["json", "jsonb"].includes(type)) return JSON.stringify({ kept: [marker] });
  if (["_text", "_varchar"].includes(type)) return [marker];
  if (type === "bytea") return Buffer.from(marker);
  if (type.startsWith("_")) return [];
  if (["timestamptz", "timestamp", "date"].includes(type)) return new Date();
  return type === "bool" ? false : 1;
}

const holdsMarker = (column: Column): boolean => JSON.stringify(valueFor(column, "#")).includes("#");

export interface Planting {
  readonly portalId: bigint;
  readonly marker: string;
  /** Values of columns that have to make sense, by table. */
  readonly given?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/**
 * Puts a row of the portal into every table that has rows of portals, with the marker in every column that can hold it.
 * Whatever a later release adds is among them.
 *
 * @returns the tables that have no rows of portals: nothing was planted there.
 */
export async function plantEverywhere(pool: Pool, planting: Planting): Promise<string[]> {
  const client = await pool.connect();
  const without: string[] = [];
  try {
    // Rows need not belong together: keys to other tables are not checked.
    await client.query("BEGIN; SET LOCAL session_replication_role = replica");
    for (const [table, columns] of await listTables(client)) {
      if (!columns.some(({ column }) => column === "portal_id")) without.push(table);
      else await plant(client, columns, planting);
    }
    await client.query("COMMIT");
  } finally {
    client.release();
  }
  return without;
}

async function plant(
  client: PoolClient,
  columns: readonly Column[],
  { portalId, marker, given = {} }: Planting,
): Promise<void> {
  const [first] = columns;
  if (first === undefined) return;
  const own: Readonly<Record<string, unknown>> = { portal_id: portalId, ...given[nameOf(first)] };
  const planted = columns.filter(({ column, isNumbered }) => !isNumbered || Object.hasOwn(own, column));
  const values = planted.map((column) =>
    Object.hasOwn(own, column.column) ? own[column.column] : valueFor(column, marker),
  );
  const names = planted.map(({ column }) => `"${column}"`);
  const places = planted.map((_, index) => `$${index + 1}`);
  // A row that is there keeps what says who may do what.
  const updates = columns
    .filter((column) => holdsMarker(column))
    .map(({ column }) => `"${column}" = excluded."${column}"`)
    .join(", ");
  const key = ["portals", "portal_tokens", "portal_settings", "portal_drains", "portal_paces"];
  const onConflict =
    key.includes(first.table) && updates !== "" ? `(portal_id) DO UPDATE SET ${updates}` : "DO NOTHING";
  await client.query(
    `INSERT INTO ${nameOf(first)} (${names.join(", ")}) VALUES (${places.join(", ")}) ON CONFLICT ${onConflict}`,
    values,
  );
}

/** The columns, as "table.column", of all rows in the database that hold one of the words. */
export async function columnsHolding(pool: Pool, words: readonly string[]): Promise<string[]> {
  const all = [...words, ...words.map((word) => Buffer.from(word).toString("hex"))];
  const holding = new Set<string>();
  for (const table of (await listTables(pool)).keys()) {
    const { rows } = await pool.query<{ column: string }>(
      `SELECT DISTINCT held.key AS column FROM ${table} AS t, jsonb_each_text(to_jsonb(t)) AS held
        WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE strpos(lower(held.value), lower(word)) > 0)`,
      [all],
    );
    for (const { column } of rows) holding.add(`${table}.${column}`);
  }
  return [...holding].sort();
}
