import { sendPart } from "../session/view-only.js";
import {
  deleteImport,
  IMPORT_VERBS,
  moveImport,
  setUpImport,
  type ChangeOutcome,
  type ImportVerb,
} from "#domain/imports/change-import.js";
import { findImport, type Import } from "#domain/imports/import.js";
import { readFirstRows } from "#domain/imports/pending-rows.js";
import { countRows } from "#domain/imports/results.js";
import { recordExport } from "#domain/audit/record-change.js";
import { sendImportResults } from "#web/kit/import-results.js";
import { readId } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm, sendMissing, statusOf } from "../frame/form-answers.js";
import type { Problems } from "../frame/problems.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { readStepOffers, type StepOffers } from "../step/step-entry.js";
import { describeChanges, type Change } from "../words/changes.js";
import { createFormat } from "../words/format.js";
import { importPath, IMPORTS_PATH } from "../words/paths.js";
import { sequenceField } from "./close-entry.js";
import { ImportPage } from "./import-page.js";
import { ImportProgress, progressDigest } from "./import-progress.js";
import { parseSetUpEntry, readSetUpEntry, setUpEntryOf, type SetUpEntry } from "./setup-entry.js";

const ROWS_SHOWN = 5;

/** GET /settings/imports/:id */
export async function showImport(exchange: Exchange): Promise<void> {
  const one = await findOne(exchange);
  if (one === undefined) return sendGone(exchange);
  await sendImport(exchange, one, {});
}

/** GET /settings/imports/:id/progress */
export async function showImportProgress(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const one = await findOne(exchange);
  if (one === undefined) return void response.status(404).end();
  const { portalId, timeZone } = visit.portal;
  const counts = await countRows(options.database.pool, portalId, one);
  if (request.query["seen"] === progressDigest({ one, counts })) return void response.status(204).end();
  const format = createFormat(timeZone, options.now());
  const formToken = options.sessions.formToken(visit.session);
  const model = { one, counts, format, formToken, now: options.now() };
  sendPart(exchange, <ImportProgress {...model} />);
}

/** GET /settings/imports/:id/results.csv */
export async function downloadResults(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { pool } = options.database;
  const one = await findOne(exchange);
  if (one === undefined) return sendGone(exchange);
  const subjectName = `Import “${one.name}”`;
  await sendImportResults(response, pool, {
    portalId: visit.portal.portalId,
    one,
    record: (rows) => recordExport(pool, actorOf(visit), { subjectName, rows }),
  });
}

/** POST /settings/imports/:id/setup: saved, and tried if that button was pressed. */
export async function saveSetUp(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { pool } = options.database;
  const one = await findOne(exchange);
  if (one === undefined) return sendGone(exchange);
  const entry = readSetUpEntry(form, one);
  const choices = await readStepOffers(options.database, visit.portal.portalId);
  const parsed = parseSetUpEntry(entry, one, choices);
  if ("problems" in parsed) return sendImport(exchange, one, { entry, problems: parsed.problems });
  const version = form.version();
  const saved = await setUpImport(pool, actorOf(visit), { id: one.id, version, ...parsed.draft });
  if (saved.kind === "changed-meanwhile") {
    const conflict = describeChanges(parsed.draft, setUpOf(saved.import), namesOf(choices));
    return sendImport(exchange, saved.import, { entry, conflict });
  }
  if (saved.kind !== "changed" || form.text("then") !== "dry-run")
    return answerChange(exchange, saved, { id: one.id, notice: "import-setup" });
  const moved = { id: one.id, verb: "dry-run", version: saved.import.version } as const;
  await answerChange(exchange, await moveImport(pool, actorOf(visit), moved), { id: one.id });
}

const setUpOf = ({ mapping, defaults, source, choices }: Import) => ({
  mapping,
  defaults,
  ...(source === "CLOSE" && { choices }),
});

const namesOf = ({ sequences, presets, nameable }: StepOffers) => ({
  ...nameable.names,
  sequences: new Map(sequences.map(({ sequenceId, name }) => [sequenceId, name])),
  presets: new Map(presets.map(({ presetId, name }) => [String(presetId), name])),
});

/** POST /settings/imports/:id/{dry-run,start,pause,resume,cancel} */
export async function move(exchange: FormExchange): Promise<void> {
  const { options, visit, request, form } = exchange;
  const id = readId(request.params["id"]);
  const verb = IMPORT_VERBS.find((name) => name === request.params["verb"]);
  if (id === undefined || verb === undefined) return sendGone(exchange);
  const asked: { id: bigint; verb: ImportVerb; version: number } = { id, verb, version: form.version() };
  await answerChange(exchange, await moveImport(options.database.pool, actorOf(visit), asked), { id });
}

/** POST /settings/imports/:id/delete */
export async function deleteOne(exchange: FormExchange): Promise<void> {
  const { options, visit, request } = exchange;
  const id = readId(request.params["id"]);
  if (id === undefined) return sendGone(exchange);
  const outcome = await deleteImport(options.database.pool, actorOf(visit), id);
  if (outcome === "not-found") return sendGone(exchange);
  finishForm(exchange, "import-deleted");
}

/** @param notice what is said if it was changed; without one the page says enough. */
async function answerChange(
  exchange: FormExchange,
  outcome: ChangeOutcome,
  { id, notice }: { id: bigint; notice?: "import-setup" },
): Promise<void> {
  switch (outcome.kind) {
    case "changed":
      if (notice === undefined) return exchange.response.redirect(303, importPath(id));
      return finishForm(exchange, notice, importPath(id));
    case "not-found":
      return sendGone(exchange);
    case "conflict":
      return finishForm(exchange, "import-moved", importPath(id));
    case "changed-meanwhile":
      return finishForm(exchange, "import-changed", importPath(id));
    case "incomplete":
      return showIncomplete(exchange, id, outcome.problems);
  }
}

/** The form's field for each part of what is set up. */
const FIELD_OF: Readonly<Record<string, string>> = {
  mapping: "column_email",
  "close/sequences": sequenceField(0),
};

/** Set up by a program in a way that cannot be started. */
async function showIncomplete(
  exchange: FormExchange,
  id: bigint,
  missing: readonly { field: string; detail: string }[],
): Promise<void> {
  const { options, visit } = exchange;
  const one = await findImport(options.database.pool, { portalId: visit.portal.portalId, id });
  if (one === undefined) return sendGone(exchange);
  const problems = Object.fromEntries(
    missing.map(({ field, detail }) => [FIELD_OF[field] ?? "sequence_id", detail]),
  );
  await sendImport(exchange, one, { problems });
}

interface PageState {
  /** As it was typed; undefined: as it is stored. */
  readonly entry?: SetUpEntry;
  readonly problems?: Problems;
  readonly conflict?: readonly Change[];
}

async function sendImport(
  exchange: Exchange,
  one: Import,
  { entry, problems = {}, conflict }: PageState,
): Promise<void> {
  const { options, visit, response } = exchange;
  const { pool } = options.database;
  const { portalId } = visit.portal;
  const counts = await countRows(pool, portalId, one);
  const isOpen = one.state === "UPLOADED" || one.state === "CHECKED";
  const choices = isOpen ? await readStepOffers(options.database, portalId) : undefined;
  const setUp = choices && {
    entry: entry ?? setUpEntryOf(one, choices),
    problems,
    choices,
    sample: await readFirstRows(pool, { portalId, importId: one.id }, ROWS_SHOWN),
  };
  const model = { frame: frameOf(exchange), one, counts, setUp, conflict, now: options.now() };
  sendPage(response, statusOf({ problems, conflict }), <ImportPage {...model} />);
}

async function findOne({ options, visit, request }: Exchange): Promise<Import | undefined> {
  const id = readId(request.params["id"]);
  if (id === undefined) return undefined;
  return findImport(options.database.pool, { portalId: visit.portal.portalId, id });
}

function sendGone(exchange: Exchange): void {
  sendMissing(exchange, { what: "import", back: { href: IMPORTS_PATH, label: "All imports" } });
}
