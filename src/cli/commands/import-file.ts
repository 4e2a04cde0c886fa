import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { anything, importJob, type ImportJob } from "../api/answers.js";
import { pauseFor } from "../api/retry.js";
import type { Command, CommandContext } from "../command.js";
import { Interrupted, WrongUse } from "../errors.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { createProgress } from "../terminal/progress.js";
import { ENROLL_OPTIONS, enrollBody } from "./enroll-options.js";

const POLL_EVERY_MS = 1_000;
/** An import goes on by itself while the app is restarted, so looking at it may wait for that long. */
const POLL_PATIENCE_MS = 300_000;
/** How long pausing may take once somebody has pressed Ctrl-C. */
const PAUSE_WITHIN_MS = 5_000;

type Verb = "dry-run" | "start" | "resume";

function mappingOf({ args }: CommandContext): Record<string, string> | undefined {
  const pairs = args.list("map").map((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new WrongUse(`--map takes FIELD=COLUMN, as in email=Address, not “${pair}”.`);
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

async function fileOf(name: string): Promise<{ bytes: number }> {
  const found = await stat(name).catch(() => undefined);
  if (!found?.isFile()) throw new WrongUse(`There is no file “${name}”.`);
  return { bytes: found.size };
}

async function upload({ api, args, output, interrupted }: CommandContext, file: string): Promise<ImportJob> {
  const { bytes } = await fileOf(file);
  const key = args.text("idempotency-key") ?? randomUUID();
  const name = args.text("name") ?? path.basename(file);
  const body = { contentType: "text/csv", bytes, open: () => createReadStream(file) };
  try {
    const call = { method: "POST", path: "/imports", query: { name }, body, idempotencyKey: key } as const;
    const created = await api.call(call, importJob);
    output.say(`Uploaded as import ${created.id}.`);
    return created;
  } catch (error) {
    if (!interrupted.aborted) throw error;
    throw new Interrupted(
      `Interrupted while the file was uploaded. No contact was enrolled. To go on, repeat the command with --idempotency-key ${key}.`,
      { cause: error },
    );
  }
}

function post({ api }: CommandContext, id: string, verb: Verb): Promise<unknown> {
  return api.call({ method: "POST", path: `/imports/${id}/${verb}` }, anything);
}

/** The import as it is now. */
export const read = ({ api }: CommandContext, id: string): Promise<ImportJob> =>
  api.call({ method: "GET", path: `/imports/${id}`, patienceMs: POLL_PATIENCE_MS }, importJob);

/** Looks at the import, showing how far it is, until it is none of the statuses under way. */
export async function follow(
  context: CommandContext,
  id: string,
  underWay: readonly string[],
): Promise<ImportJob> {
  const progress = createProgress(context.output);
  try {
    for (;;) {
      const found = await read(context, id);
      const { handled, rows, failed, invalid } = found.counts;
      const detail = failed + invalid > 0 ? `(${failed + invalid} failed)` : "";
      progress.show({ what: found.status.toLowerCase(), done: handled, of: rows, detail });
      if (!underWay.includes(found.status)) return found;
      await pauseFor(POLL_EVERY_MS, context.interrupted);
    }
  } finally {
    progress.end();
  }
}

/** After Ctrl-C: the app would go on alone, so it is asked to pause. @throws Interrupted always. */
async function pauseAndLeave(context: CommandContext, id: string, cause: unknown): Promise<never> {
  // The run's own signal has fired: this one request has a time of its own.
  const signal = AbortSignal.timeout(PAUSE_WITHIN_MS);
  const pause = context.api.call({ method: "POST", path: `/imports/${id}/pause`, signal }, anything);
  const isPaused = await pause.then(
    () => true,
    () => false,
  );
  const left = isPaused
    ? `Import ${id} is paused`
    : `Import ${id} could not be paused, and may go on by itself`;
  throw new Interrupted(
    `Interrupted. ${left}; each row is handled once. To go on: sequence-enroller import --resume ${id}`,
    { cause },
  );
}

const COUNTS = [
  "rows",
  "enrolled",
  "alreadyEnrolled",
  "skipped",
  "failed",
  "waiting",
  "invalid",
  "duplicate",
] as const;

/** How many rows came to what, and why. */
export async function showResult({ output }: CommandContext, found: ImportJob): Promise<void> {
  if (output.isJson) return output.json(found);
  await output.table(
    ["Result", "Rows"],
    COUNTS.map((name) => [name, found.counts[name]]),
  );
  const reasons = Object.entries(found.counts.reasons ?? found.reasons ?? {});
  if (reasons.length > 0) await output.table(["Reason", "Rows"], reasons);
}

/** Written under another name and moved into place whole, so that a file of that name is never half a result. */
export async function saveResults(
  { api, output, interrupted }: CommandContext,
  id: string,
  file: string,
): Promise<void> {
  const partial = `${file}.${process.pid}.part`;
  try {
    const answer = await api.download({ method: "GET", path: `/imports/${id}/results.csv` });
    await pipeline(answer, createWriteStream(partial), { signal: interrupted });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  output.say(`Results are in ${file}.`);
}

async function prepareImport(context: CommandContext, file: string): Promise<ImportJob> {
  const [mapping, defaults] = [mappingOf(context), enrollBody(context.args)];
  const created = await upload(context, file);
  const change = {
    ...(mapping && { mapping: { ...created.mapping, ...mapping } }),
    ...(Object.keys(defaults).length > 0 && { defaults }),
  };
  if (Object.keys(change).length === 0) return created;
  return context.api.call({ method: "PATCH", path: `/imports/${created.id}`, json: change }, importJob);
}

/** Brings an import to its end, whatever state it is in. */
export async function finish(context: CommandContext, { id, status }: ImportJob): Promise<ImportJob> {
  try {
    if (status === "PAUSED") await post(context, id, "resume");
    else if (status === "UPLOADED" || status === "CHECKED") await post(context, id, "start");
    return await follow(context, id, ["UPLOADED", "CHECKING", "CHECKED", "RUNNING"]);
  } catch (error) {
    if (!context.interrupted.aborted) throw error;
    return pauseAndLeave(context, id, error);
  }
}

export async function check(context: CommandContext, { id }: ImportJob): Promise<ImportJob> {
  await post(context, id, "dry-run");
  const found = await follow(context, id, ["UPLOADED", "CHECKING"]);
  context.output.say(`Nobody was enrolled. To do it: sequence-enroller import --resume ${id}`);
  return found;
}

async function run(context: CommandContext): Promise<ExitCode> {
  const { args } = context;
  const [file] = args.operands;
  const id = args.text("resume");
  if ((file === undefined) === (id === undefined)) throw new WrongUse("Give FILE.csv, or --resume ID.");
  if (id !== undefined && !/^\d{1,19}$/.test(id))
    throw new WrongUse("--resume takes an import's id, a number.");
  const job = file === undefined ? await read(context, id ?? "") : await prepareImport(context, file);
  const found = args.has("dry-run") ? await check(context, job) : await finish(context, job);
  await showResult(context, found);
  const out = args.text("out");
  if (out !== undefined) await saveResults(context, found.id, out);
  const { skipped, failed, invalid } = found.counts;
  const isEnded = found.status === "DONE" || args.has("dry-run");
  if (!isEnded) context.output.say(`Import ${found.id} is ${found.status.toLowerCase()}.`);
  return isEnded && skipped + failed + invalid === 0 ? EXIT.done : EXIT.failed;
}

export const importFile: Command = {
  name: "import",
  summary: "Enrolls the rows of a CSV file. Ends with 1 if some were not enrolled.",
  operands: ["FILE.csv"],
  options: [
    {
      name: "map",
      value: "FIELD=COLUMN",
      isRepeated: true,
      help: "which column holds email, contactId, sequenceId, sequenceName, senderEmail, notBefore, reference",
    },
    ...ENROLL_OPTIONS,
    { name: "dry-run", help: "only tell what would happen" },
    { name: "out", value: "FILE", help: "save the rows with their results as CSV" },
    { name: "name", value: "TEXT", help: "what to call the import (the file's name)" },
    { name: "resume", value: "ID", help: "go on with an earlier import instead of a file" },
    { name: "idempotency-key", value: "KEY", help: "repeats an interrupted upload" },
  ],
  notes: [
    "Example:",
    "  sequence-enroller import leads.csv --map email=Address --sequence Inbound",
    "Ctrl-C pauses the import; --resume goes on with it.",
  ],
  run,
};
