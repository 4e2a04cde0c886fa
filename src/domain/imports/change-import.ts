import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { contactColumns, contactKey } from "./create-import.js";
import type { EnrollmentDefaults } from "./enrollment-defaults.js";
import type { ImportMapping } from "./file/guess-mapping.js";
import { findImport, type Import, type ImportState } from "./import.js";

/** What can be asked of an import. */
export const IMPORT_VERBS = ["dry-run", "start", "pause", "resume", "cancel"] as const;
export type ImportVerb = (typeof IMPORT_VERBS)[number];

interface Move {
  readonly from: readonly ImportState[];
  readonly to: ImportState;
  /** What else changes, in SQL. */
  readonly sets?: string;
  /** As the audit names it. */
  readonly action: string;
}

const MOVES: Readonly<Record<ImportVerb, Move>> = {
  "dry-run": {
    from: ["UPLOADED", "CHECKED"],
    to: "CHECKING",
    sets: "checked_rows = 0, foreseen = '{}', leased_until = '-infinity'",
    action: "CHECKED",
  },
  start: {
    from: ["UPLOADED", "CHECKED"],
    to: "RUNNING",
    sets: "leased_until = '-infinity'",
    action: "STARTED",
  },
  pause: { from: ["RUNNING"], to: "PAUSED", action: "PAUSED" },
  resume: { from: ["PAUSED"], to: "RUNNING", sets: "leased_until = '-infinity'", action: "RESUMED" },
  cancel: {
    from: ["UPLOADED", "CHECKING", "CHECKED", "RUNNING", "PAUSED"],
    to: "CANCELLED",
    sets: "is_cancelling = true, ended_at = now()",
    action: "CANCELLED",
  },
};

export type ChangeOutcome =
  | { readonly kind: "changed"; readonly import: Import }
  | { readonly kind: "not-found" }
  /** Its state does not allow it. */
  | { readonly kind: "conflict"; readonly state: ImportState }
  /** It lacks what every row needs. */
  | { readonly kind: "incomplete"; readonly problems: readonly { field: string; detail: string }[] };

/** Asks the workers to try, start, stop or go on with an import. */
export async function moveImport(
  pool: Pool,
  actor: Actor,
  { id, verb }: { id: bigint; verb: ImportVerb },
): Promise<ChangeOutcome> {
  requireRight(actor, "changeImport");
  const { portalId } = actor;
  const { from, to, sets, action } = MOVES[verb];
  return inTransaction(pool, async (client) => {
    const before = await findImport(client, { portalId, id }, true);
    if (before === undefined) return { kind: "not-found" };
    if (!from.includes(before.state)) return { kind: "conflict", state: before.state };
    const problems = verb === "start" || verb === "dry-run" ? whatIsMissing(before) : [];
    if (problems.length > 0) return { kind: "incomplete", problems };
    await client.query(
      `UPDATE imports SET state = $3${sets === undefined ? "" : `, ${sets}`} WHERE portal_id = $1 AND id = $2`,
      [portalId, id, to],
    );
    await recordChange(client, actor, { subject: "import", subjectName: before.name, action });
    return changed(client, portalId, id);
  });
}

function whatIsMissing({ mapping, defaults }: Import): { field: string; detail: string }[] {
  const namesContact = mapping.email !== undefined || mapping.contactId !== undefined;
  const namesSequence =
    mapping.sequenceId !== undefined || mapping.sequenceName !== undefined || defaults.sequence !== undefined;
  return [
    ...(namesContact
      ? []
      : [{ field: "mapping", detail: "No column names the contact: choose one as email or contactId." }]),
    ...(namesSequence
      ? []
      : [
          {
            field: "defaults",
            detail:
              "Nothing names the sequence: choose one for all rows, or a column as sequenceId or sequenceName.",
          },
        ]),
  ];
}

async function changed(client: PoolClient, portalId: bigint, id: bigint): Promise<ChangeOutcome> {
  const after = await findImport(client, { portalId, id });
  return after === undefined ? { kind: "not-found" } : { kind: "changed", import: after };
}

/** Says which column is what, and what applies where a row says nothing. A dry run from before says nothing any more. */
export async function setUpImport(
  pool: Pool,
  actor: Actor,
  {
    id,
    mapping,
    defaults,
  }: { id: bigint; mapping?: ImportMapping | undefined; defaults?: EnrollmentDefaults | undefined },
): Promise<ChangeOutcome> {
  requireRight(actor, "changeImport");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const before = await findImport(client, { portalId, id }, true);
    if (before === undefined) return { kind: "not-found" };
    if (before.state !== "UPLOADED" && before.state !== "CHECKED")
      return { kind: "conflict", state: before.state };
    const problems = unknownColumns(before.columns, mapping ?? {});
    if (problems.length > 0) return { kind: "incomplete", problems };
    const after = { mapping: mapping ?? before.mapping, defaults: defaults ?? before.defaults };
    await client.query(
      `UPDATE imports SET state = 'UPLOADED', mapping = $3, defaults = $4, checked_rows = 0, foreseen = '{}'
        WHERE portal_id = $1 AND id = $2`,
      [portalId, id, JSON.stringify(after.mapping), JSON.stringify(after.defaults)],
    );
    await nameContactsAnew(client, portalId, { before, mapping: after.mapping });
    const subject = { subject: "import", subjectName: before.name, action: "CHANGED" };
    await recordChange(client, actor, {
      ...subject,
      before: { mapping: before.mapping, defaults: before.defaults },
      after,
    });
    return changed(client, portalId, id);
  });
}

function unknownColumns(
  columns: readonly string[],
  mapping: ImportMapping,
): { field: string; detail: string }[] {
  return Object.entries(mapping)
    .filter(([, column]) => !columns.includes(column))
    .map(([field, column]) => ({ field: `mapping/${field}`, detail: `The file has no column “${column}”.` }));
}

async function nameContactsAnew(
  client: PoolClient,
  portalId: bigint,
  { before, mapping }: { before: Import; mapping: ImportMapping },
): Promise<void> {
  const [old, now] = [
    contactColumns(before.columns, before.mapping),
    contactColumns(before.columns, mapping),
  ];
  if (old.email === now.email && old.id === now.id) return;
  await client.query(
    `UPDATE import_rows SET contact_key = ${contactKey("cells", { email: "$3::int", id: "$4::int" })}
      WHERE portal_id = $1 AND import_id = $2`,
    [portalId, before.id, now.email, now.id],
  );
}

/** Erases the file and its results. What was handed over to be enrolled is enrolled; the rest is not. */
export async function deleteImport(pool: Pool, actor: Actor, id: bigint): Promise<"deleted" | "not-found"> {
  requireRight(actor, "changeImport");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const before = await findImport(client, { portalId, id }, true);
    if (before === undefined) return "not-found";
    await client.query("DELETE FROM import_rows WHERE portal_id = $1 AND import_id = $2", [portalId, id]);
    await client.query("DELETE FROM imports WHERE portal_id = $1 AND id = $2", [portalId, id]);
    await recordChange(client, actor, { subject: "import", subjectName: before.name, action: "DELETED" });
    return "deleted";
  });
}
