import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange, type Snapshot } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { contactColumns, contactKey } from "./create-import.js";
import type { CloseChoices } from "./close-choices.js";
import type { EnrollmentDefaults } from "./enrollment-defaults.js";
import type { ImportMapping } from "./file/guess-mapping.js";
import { findImport, type Import, type ImportState } from "./import.js";

/** What can be done with an import. */
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
    from: ["READING", "UPLOADED", "CHECKING", "CHECKED", "RUNNING", "PAUSED"],
    to: "CANCELLED",
    sets: "is_cancelling = true, ended_at = now(), source_key = NULL",
    action: "CANCELLED",
  },
};

export type ChangeOutcome =
  | { readonly kind: "changed"; readonly import: Import }
  | { readonly kind: "not-found" }
  /** Its state does not allow it. */
  | { readonly kind: "conflict"; readonly state: ImportState }
  /** Someone else has changed its setup since. */
  | { readonly kind: "changed-meanwhile"; readonly import: Import }
  /** It lacks what every row needs. */
  | { readonly kind: "incomplete"; readonly problems: readonly { field: string; detail: string }[] };

/**
 * Asks the workers to try, start, stop or continue with an import.
 *
 * @param version what it was when it was shown, if someone decided by that; a dry run or a start is refused if it
 *   changed.
 */
export async function moveImport(
  pool: Pool,
  actor: Actor,
  { id, verb, version }: { id: bigint; verb: ImportVerb; version?: number },
): Promise<ChangeOutcome> {
  requireRight(actor, "changeImport");
  const { portalId } = actor;
  const { from, to, sets, action } = MOVES[verb];
  return inTransaction(pool, async (client) => {
    const before = await findImport(client, { portalId, id }, true);
    if (before === undefined) return { kind: "not-found" };
    if (!from.includes(before.state)) return { kind: "conflict", state: before.state };
    const usesSetUp = verb === "start" || verb === "dry-run";
    if (usesSetUp && isOutOfDate(before, version)) return { kind: "changed-meanwhile", import: before };
    const problems = usesSetUp ? whatIsMissing(before) : [];
    if (problems.length > 0) return { kind: "incomplete", problems };
    await client.query(
      `UPDATE imports SET state = $3${sets === undefined ? "" : `, ${sets}`} WHERE portal_id = $1 AND id = $2`,
      [portalId, id, to],
    );
    await recordChange(client, actor, { subject: "import", subjectName: before.name, action });
    return changed(client, portalId, id);
  });
}

const isOutOfDate = ({ version }: Import, shown: number | undefined): boolean =>
  shown !== undefined && shown !== version;

function whatIsMissing({ source, choices, mapping, defaults }: Import): { field: string; detail: string }[] {
  const namesContact = mapping.email !== undefined || mapping.contactId !== undefined;
  const namesSequence =
    source === "CLOSE"
      ? Object.keys(choices.sequences ?? {}).length > 0
      : mapping.sequenceId !== undefined ||
        mapping.sequenceName !== undefined ||
        defaults.sequence !== undefined;
  if (source === "CLOSE" && !namesSequence)
    return [{ field: "close/sequences", detail: "Choose a HubSpot sequence for at least one of Close's." }];
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

async function changed(client: PoolClient, portalId: PortalId, id: bigint): Promise<ChangeOutcome> {
  const after = await findImport(client, { portalId, id });
  return after === undefined ? { kind: "not-found" } : { kind: "changed", import: after };
}

/** What is to be changed in an import's setup; undefined: stays as it is. */
export interface ImportSetUp {
  readonly mapping?: ImportMapping | undefined;
  readonly defaults?: EnrollmentDefaults | undefined;
  /** Only for an import from Close. */
  readonly choices?: CloseChoices | undefined;
}

/**
 * Sets which column is what, and what applies if a row says nothing. An earlier dry run no longer counts.
 *
 * @param version what it was when a form was filled in from it.
 */
export async function setUpImport(
  pool: Pool,
  actor: Actor,
  { id, version, mapping, defaults, choices }: ImportSetUp & { id: bigint; version?: number },
): Promise<ChangeOutcome> {
  requireRight(actor, "changeImport");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    const before = await findImport(client, { portalId, id }, true);
    if (before === undefined) return { kind: "not-found" };
    if (before.state !== "UPLOADED" && before.state !== "CHECKED")
      return { kind: "conflict", state: before.state };
    if (isOutOfDate(before, version)) return { kind: "changed-meanwhile", import: before };
    const problems = [
      ...unknownColumns(before.columns, mapping ?? {}),
      ...(choices === undefined || before.source === "CLOSE"
        ? []
        : [{ field: "close", detail: "The rows of this import are not from Close." }]),
    ];
    if (problems.length > 0) return { kind: "incomplete", problems };
    const after = {
      mapping: mapping ?? before.mapping,
      defaults: defaults ?? before.defaults,
      choices: { ...before.choices, ...choices },
    };
    await client.query(
      `UPDATE imports SET state = 'UPLOADED', version = version + 1, mapping = $3, defaults = $4, choices = $5, checked_rows = 0, foreseen = '{}'
        WHERE portal_id = $1 AND id = $2`,
      [
        portalId,
        id,
        JSON.stringify(after.mapping),
        JSON.stringify(after.defaults),
        JSON.stringify(after.choices),
      ],
    );
    await renameContacts(client, portalId, { before, mapping: after.mapping });
    const subject = { subject: "import", subjectName: before.name, action: "CHANGED" };
    await recordChange(client, actor, {
      ...subject,
      before: snapshotOf(before),
      after: snapshotOf(after),
    });
    return changed(client, portalId, id);
  });
}

/** As the audit tells it: the names of a step's settings. */
function snapshotOf({
  mapping,
  defaults,
  choices,
}: Pick<Import, "mapping" | "defaults" | "choices">): Snapshot {
  const { sequence, presetId, ...rest } = defaults;
  return {
    mapping,
    ...rest,
    ...(choices.statuses === undefined ? {} : { closeStatuses: choices.statuses }),
    ...(choices.sequences === undefined ? {} : { closeSequences: choices.sequences }),
    ...(choices.senders === undefined ? {} : { closeSenders: choices.senders }),
    ...(sequence === undefined
      ? {}
      : "id" in sequence
        ? { sequenceId: sequence.id }
        : { sequence: sequence.name }),
    ...(presetId === undefined ? {} : { chosenPresetId: presetId }),
  };
}

function unknownColumns(
  columns: readonly string[],
  mapping: ImportMapping,
): { field: string; detail: string }[] {
  return Object.entries(mapping)
    .filter(([, column]) => !columns.includes(column))
    .map(([field, column]) => ({ field: `mapping/${field}`, detail: `The file has no column “${column}”.` }));
}

async function renameContacts(
  client: PoolClient,
  portalId: PortalId,
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

/** Erases the file and its results. What was already handed over is enrolled; the rest is not. */
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
