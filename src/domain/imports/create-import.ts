import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { guessMapping, type ImportMapping } from "./file/guess-mapping.js";
import type { FileRow, OpenedFile } from "./file/read-rows.js";

/** Rows written by one statement. */
const SLICE = 500;
/** Characters. */
const LONGEST_NAME = 200;

/**
 * SQL: what names a row's contact: its id, otherwise its address in lower case; null: nothing does.
 *
 * @param email SQL of the column's place in the row, or null; `id` the same way.
 */
export const contactKey = (cells: string, { email, id }: { email: string; id: string }): string =>
  `left(coalesce(nullif(btrim(${cells} ->> ${id}), ''), nullif(lower(btrim(${cells} ->> ${email})), '')), 320)`;

/**
 * Stores a file to be imported, in slices as it is read: nothing of it is visible before all of it is stored, and
 * nothing is kept of a file that ends early or is refused.
 *
 * @param inCommit runs in the transaction that lets the new import be seen; if it throws, nothing is kept.
 * @returns what that returns.
 * @throws ImportFileError, and NotAllowed before anything is read.
 */
export async function createImport<Result>(
  pool: Pool,
  actor: Actor,
  {
    name,
    file,
    inCommit,
  }: {
    name: string;
    file: OpenedFile;
    inCommit: (client: PoolClient, importId: bigint) => Promise<Result>;
  },
): Promise<Result> {
  requireRight(actor, "createImport");
  const { portalId } = actor;
  let target: Target | undefined;
  let rowCount = 0;
  try {
    for await (const slice of inSlices(file.rows)) {
      target ??= await begin(pool, portalId, { name, columns: file.columns, sample: slice });
      const { importId } = target;
      const places = contactColumns(target.columns, target.mapping);
      await insertRows(pool, portalId, { importId, places, rows: slice });
      rowCount += slice.length;
    }
    if (target === undefined) throw new Error("a file without rows is refused while it is read");
    const { importId } = target;
    return await inTransaction(pool, async (client) => {
      await client.query(
        "UPDATE imports SET state = 'UPLOADED', row_count = $3 WHERE portal_id = $1 AND id = $2",
        [portalId, importId, rowCount],
      );
      await recordChange(client, actor, {
        subject: "import",
        subjectName: storedName(name),
        action: "CREATED",
        after: { rowCount },
      });
      return inCommit(client, importId);
    });
  } catch (error) {
    // What a crash leaves behind is deleted after a day (src/worker/sweeps/delete-old-records.ts).
    if (target !== undefined) await forget(pool, portalId, target.importId);
    throw error;
  }
}

/** In a transaction: also if whoever uploaded is gone, and nobody waits for the answer anymore. */
async function forget(pool: Pool, portalId: PortalId, importId: bigint): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query("DELETE FROM import_rows WHERE portal_id = $1 AND import_id = $2", [
      portalId,
      importId,
    ]);
    await client.query("DELETE FROM imports WHERE portal_id = $1 AND id = $2", [portalId, importId]);
  });
}

/** A name as it is stored. */
export const storedName = (name: string): string =>
  cutText(name.trim() === "" ? "Import" : name.trim(), LONGEST_NAME);

interface Target {
  readonly importId: bigint;
  readonly columns: readonly string[];
  readonly mapping: ImportMapping;
}

async function begin(
  pool: Pool,
  portalId: PortalId,
  { name, columns, sample }: { name: string; columns: readonly string[]; sample: readonly FileRow[] },
): Promise<Target> {
  const mapping = guessMapping(
    columns,
    sample.map(({ cells }) => cells),
  );
  const { rows } = await pool.query<{ id: string }>(
    "INSERT INTO imports (portal_id, name, columns, mapping) VALUES ($1, $2, $3, $4) RETURNING id",
    [portalId, storedName(name), JSON.stringify(columns), JSON.stringify(mapping)],
  );
  return { importId: BigInt(rows[0]?.id ?? 0), columns, mapping };
}

/** Places of the columns that name the contact. */
export function contactColumns(
  columns: readonly string[],
  { email, contactId }: ImportMapping,
): { email: number | null; id: number | null } {
  const placeOf = (name: string | undefined): number | null =>
    name === undefined || !columns.includes(name) ? null : columns.indexOf(name);
  return { email: placeOf(email), id: placeOf(contactId) };
}

/** @param places of the columns that name the contact */
export async function insertRows(
  client: Pick<PoolClient, "query">,
  portalId: PortalId,
  {
    importId,
    places: { email, id },
    rows,
  }: { importId: bigint; places: ReturnType<typeof contactColumns>; rows: readonly FileRow[] },
): Promise<void> {
  await client.query({
    name: "insert-import-rows",
    text: `INSERT INTO import_rows (portal_id, import_id, row_number, cells, contact_key, result, reason_code, reason)
      SELECT $1, $2, number, cells, ${contactKey("cells", { email: "$6::int", id: "$7::int" })},
             CASE WHEN problem IS NOT NULL THEN 'INVALID' END, CASE WHEN problem IS NOT NULL THEN 'INVALID_INPUT' END, problem
        FROM unnest($3::int[], $4::jsonb[], $5::text[]) AS row (number, cells, problem)`,
    values: [
      portalId,
      importId,
      rows.map(({ number }) => number),
      rows.map(({ cells }) => JSON.stringify(cells)),
      rows.map(({ problem }) => problem ?? null),
      email,
      id,
    ],
  });
}

async function* inSlices(rows: AsyncIterable<FileRow>): AsyncGenerator<FileRow[]> {
  let slice: FileRow[] = [];
  for await (const row of rows) {
    slice.push(row);
    if (slice.length < SLICE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
