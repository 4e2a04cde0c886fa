import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { importJob, type ImportJob } from "../api/answers.js";
import type { Command, CommandContext } from "../command.js";
import { Interrupted, NotReachable, WrongUse } from "../errors.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { ENROLL_OPTIONS, enrollBody } from "./enroll-options.js";
import { check, finish, importIdOf, isAtItsEnd, read } from "./follow-import.js";

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

async function upload(
  { api, args, output }: CommandContext,
  { file, idempotencyKey }: { file: string; idempotencyKey: string },
): Promise<ImportJob> {
  const { bytes } = await fileOf(file);
  const query = { name: args.text("name") ?? path.basename(file) };
  const body = { contentType: "text/csv", bytes, open: () => createReadStream(file) };
  const created = await api.call(
    { method: "POST", path: "/imports", query, body, idempotencyKey },
    importJob,
  );
  output.say(`Uploaded as import ${created.id}.`);
  return created;
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
  { id, status }: ImportJob,
  file: string,
): Promise<void> {
  const partial = `${file}.${process.pid}.part`;
  try {
    const answer = await api.download({ method: "GET", path: `/imports/${id}/results.csv` });
    await pipeline(answer, createWriteStream(partial), { signal: interrupted });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    if (!interrupted.aborted && !(error instanceof NotReachable)) throw error;
    // Without this word a trial would be started.
    const isTrial = status === "CHECKED" ? " --dry-run" : "";
    const rest = `The results were not saved. To do so: sequence-enroller import --resume ${id}${isTrial} --out ${file}`;
    if (interrupted.aborted) throw new Interrupted(`Interrupted. ${rest}`, { cause: error });
    throw new NotReachable(`${(error as Error).message} ${rest}`, { cause: error });
  }
  output.say(`Results are in ${file}.`);
}

/** What the command line says of columns and enrollments; nothing, if it says nothing. */
async function setUp(context: CommandContext, created: ImportJob): Promise<ImportJob> {
  const [mapping, defaults] = [mappingOf(context), enrollBody(context.args)];
  const change = {
    ...(mapping && { mapping: { ...created.mapping, ...mapping } }),
    ...(Object.keys(defaults).length > 0 && { defaults: { ...created.defaults, ...defaults } }),
  };
  if (Object.keys(change).length === 0) return created;
  return context.api.call({ method: "PATCH", path: `/imports/${created.id}`, json: change }, importJob);
}

async function prepareImport(context: CommandContext, file: string): Promise<ImportJob> {
  // What is typed wrong is told before a file is sent.
  mappingOf(context);
  enrollBody(context.args);
  const idempotencyKey = context.args.text("idempotency-key") ?? randomUUID();
  try {
    return await setUp(context, await upload(context, { file, idempotencyKey }));
  } catch (error) {
    if (!context.interrupted.aborted) throw error;
    throw new Interrupted(
      `Interrupted while the file was uploaded. No contact was enrolled. To go on, repeat the command with --idempotency-key ${idempotencyKey}.`,
      { cause: error },
    );
  }
}

async function run(context: CommandContext): Promise<ExitCode> {
  const { args } = context;
  const [file] = args.operands;
  const id = args.text("resume");
  if ((file === undefined) === (id === undefined)) throw new WrongUse("Give FILE.csv, or --resume ID.");
  const job =
    file === undefined
      ? await setUp(context, await read(context, importIdOf(id ?? "")))
      : await prepareImport(context, file);
  const found = args.has("dry-run") ? await check(context, job) : await finish(context, job);
  await showResult(context, found);
  const out = args.text("out");
  if (out !== undefined) await saveResults(context, found, out);
  const { skipped, failed, invalid } = found.counts;
  return isAtItsEnd(context, found, { isTrial: args.has("dry-run") }) && skipped + failed + invalid === 0
    ? EXIT.done
    : EXIT.failed;
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
