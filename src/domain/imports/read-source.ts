import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import type { ImportKey } from "./advance-import.js";
import type { CloseChoices, CloseFacts } from "./close-choices.js";
import { contactColumns, insertRows, storedName } from "./create-import.js";
import type { ImportMapping } from "./file/guess-mapping.js";
import { FILE_LIMITS } from "./file/file-limits.js";
import { findImport } from "./import.js";
import type { SourceProblem } from "./source-problems.js";

/** The one column of a segment. */
const RECORD_ID = "Record ID";

export type SegmentImport =
  | { readonly kind: "created"; readonly id: bigint }
  /** The account has not given the permission to read segments. */
  | { readonly kind: "not-permitted" };

/** The permission that HubSpot asks for to read a segment. */
const SEGMENT_SCOPE = "crm.lists.read";

/**
 * Makes an import of a segment's members. Workers read them; nobody is enrolled yet.
 *
 * @param name empty: the segment's own, once it was read.
 */
export async function createSegmentImport(
  pool: Pool,
  actor: Actor,
  { segmentId, name }: { segmentId: string; name: string },
): Promise<SegmentImport> {
  requireRight(actor, "createImport");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query("SELECT FROM portals WHERE portal_id = $1 AND $2 = ANY (scopes)", [
      portalId,
      SEGMENT_SCOPE,
    ]);
    if (rows.length === 0) return { kind: "not-permitted" };
    const mapping: ImportMapping = { contactId: RECORD_ID };
    const { rows: made } = await client.query<{ id: string }>(
      `INSERT INTO imports (portal_id, name, state, source, source_id, columns, mapping)
       VALUES ($1, $2, 'READING', 'SEGMENT', $3, $4, $5) RETURNING id`,
      [
        portalId,
        name.trim() === "" ? "" : storedName(name),
        segmentId,
        JSON.stringify([RECORD_ID]),
        JSON.stringify(mapping),
      ],
    );
    const subjectName = name.trim() === "" ? `Segment ${segmentId}` : storedName(name);
    await recordChange(client, actor, {
      subject: "import",
      subjectName,
      action: "CREATED",
      after: { segmentId },
    });
    return { kind: "created", id: BigInt(made[0]?.id ?? 0) };
  });
}

/** What was read of a source at once. */
export interface ReadPart {
  /** Where the reading stood before: what another process read meanwhile is not read twice. */
  readonly from: unknown;
  /** Where it continues; undefined: this was the last part. */
  readonly to: unknown;
  readonly rows: readonly (readonly string[])[];
  /** What the source calls itself; taken if nobody gave the import a name. */
  readonly name?: string;
  /** What was counted so far, if the source is Close. */
  readonly facts?: CloseFacts;
  /** Taken with the last part. */
  readonly choices?: CloseChoices;
}

/**
 * Stores a part of a source's rows together with where the reading continues: a crash repeats nothing and loses nothing.
 *
 * @returns false if the import has moved on, was canceled or deleted meanwhile; "too-many" if there are more rows than an
 *   import takes.
 */
export async function appendRows(pool: Pool, key: ImportKey, part: ReadPart): Promise<boolean | "too-many"> {
  const { portalId, importId } = key;
  return inTransaction(pool, async (client) => {
    const now = await findImport(client, { portalId, id: importId }, true);
    if (now?.state !== "READING" || !isSamePlace(now.sourceAt, part.from)) return false;
    const count = now.rowCount + part.rows.length;
    if (count > FILE_LIMITS.rows) return "too-many";
    const rows = part.rows.map((cells, index) => ({
      number: now.rowCount + index + 1,
      cells,
      problem: undefined,
    }));
    const places = contactColumns(now.columns, now.mapping);
    if (rows.length > 0) await insertRows(client, portalId, { importId, places, rows });
    await client.query(
      `UPDATE imports SET row_count = $3, source_at = $4, name = CASE WHEN name = '' THEN $5 ELSE name END,
              state = CASE WHEN $4::jsonb IS NULL THEN 'UPLOADED' ELSE state END,
              source_key = CASE WHEN $4::jsonb IS NULL THEN NULL ELSE source_key END,
              source_facts = coalesce($6, source_facts), choices = coalesce($7, choices)
        WHERE portal_id = $1 AND id = $2`,
      [
        portalId,
        importId,
        count,
        part.to === undefined ? null : JSON.stringify(part.to),
        storedName(part.name ?? ""),
        ...[part.facts, part.choices].map((value) => (value === undefined ? null : JSON.stringify(value))),
      ],
    );
    return true;
  });
}

const isSamePlace = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** Ends the reading of a source that cannot be read: what was read of it is deleted, and so is the key to it. */
export async function failReading(
  pool: Pool,
  { portalId, importId }: ImportKey,
  problem: SourceProblem,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    const ended = await client.query(
      `UPDATE imports SET state = 'CANCELLED', problem = $3, ended_at = now(), row_count = 0, source_key = NULL,
              name = CASE WHEN name = '' THEN 'Import' ELSE name END
        WHERE portal_id = $1 AND id = $2 AND state = 'READING'`,
      [portalId, importId, problem],
    );
    if (ended.rowCount === 1) await deleteRows(client, { portalId, importId });
  });
}

async function deleteRows(client: PoolClient, { portalId, importId }: ImportKey): Promise<void> {
  await client.query("DELETE FROM import_rows WHERE portal_id = $1 AND import_id = $2", [portalId, importId]);
}
