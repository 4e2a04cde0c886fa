import { anything, importJob, type ImportJob } from "../api/answers.js";
import { pauseFor } from "../api/retry.js";
import type { CommandContext } from "../command.js";
import { Interrupted, WrongUse } from "../errors.js";
import { createProgress } from "../terminal/progress.js";

const POLL_EVERY_MS = 1_000;
/** An import goes on by itself while the app is restarted, so looking at it may wait for that long. */
const POLL_PATIENCE_MS = 300_000;
/** How long pausing may take once somebody has pressed Ctrl-C. */
const PAUSE_WITHIN_MS = 5_000;

type Verb = "dry-run" | "start" | "resume";

/** Under way, and not yet to be started. */
const BEFORE_START = ["READING", "CHECKING"];

/** @throws WrongUse for what cannot be an import's id. */
export function importIdOf(text: string): string {
  if (/^\d{1,19}$/.test(text)) return text;
  throw new WrongUse("--resume takes an import's id, a number.");
}

function post({ api }: CommandContext, id: string, verb: Verb): Promise<unknown> {
  return api.call({ method: "POST", path: `/imports/${id}/${verb}` }, anything);
}

/** The import as it is now. */
export const read = ({ api }: CommandContext, id: string): Promise<ImportJob> =>
  api.call({ method: "GET", path: `/imports/${id}`, patienceMs: POLL_PATIENCE_MS }, importJob);

/** Looks at the import, showing how far it is, until it is none of the statuses under way. */
async function follow(context: CommandContext, id: string, underWay: readonly string[]): Promise<ImportJob> {
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

/** Waits until an import can be started. The app goes on with it alone after Ctrl-C, and enrolls nobody by it. */
export async function getReady(
  context: CommandContext,
  job: ImportJob,
  { resumedBy }: { resumedBy: string },
): Promise<ImportJob> {
  if (!BEFORE_START.includes(job.status)) return job;
  try {
    return await follow(context, job.id, BEFORE_START);
  } catch (error) {
    if (!context.interrupted.aborted) throw error;
    throw new Interrupted(
      `Interrupted. Import ${job.id} is ${job.status.toLowerCase()} by itself; nobody is enrolled yet. To go on: sequence-enroller ${resumedBy}`,
      { cause: error },
    );
  }
}

/** Brings an import to its end, whatever state it is in. */
export async function finish(context: CommandContext, job: ImportJob): Promise<ImportJob> {
  const { id, status } = await getReady(context, job, { resumedBy: `import --resume ${job.id}` });
  try {
    if (status === "PAUSED") await post(context, id, "resume");
    else if (status === "UPLOADED" || status === "CHECKED") await post(context, id, "start");
    return await follow(context, id, ["RUNNING"]);
  } catch (error) {
    if (!context.interrupted.aborted) throw error;
    return pauseAndLeave(context, id, error);
  }
}

/** Tries all rows. A trial that is under way already is waited for. */
export async function check(context: CommandContext, job: ImportJob): Promise<ImportJob> {
  const { id } = job;
  const resumedBy = `import --resume ${id} --dry-run`;
  const ready = job.status === "READING" ? await getReady(context, job, { resumedBy }) : job;
  if (ready.status !== "CHECKING") await post(context, id, "dry-run");
  const found = await getReady(context, { ...ready, status: "CHECKING" }, { resumedBy });
  context.output.say(`Nobody was enrolled. To do it: sequence-enroller import --resume ${id}`);
  return found;
}

/** Whether it came to the end that was asked for; says so if not: somebody else may have canceled it. */
export function isAtItsEnd(
  { output }: CommandContext,
  { id, status, problem }: ImportJob,
  { isTrial }: { isTrial: boolean },
): boolean {
  if (status === (isTrial ? "CHECKED" : "DONE")) return true;
  output.say(problem?.message ?? `Import ${id} is ${status.toLowerCase()}.`);
  return false;
}
