import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Disturbance } from "./disturbances.js";
import type { Execution } from "../../src/simulator/workflow/execution.js";
import { ROOT, type Stage } from "./stage.js";
import { isHeldBy } from "./workload.js";

const run = promisify(execFile);

/** An end that HubSpot has taken is stored by then. */
const WRITTEN_WITHIN_MS = 3_000;

/** A return of the database to an earlier moment. What came after it is lost to the app by nature. Epoch ms. */
export interface Restore {
  readonly backupAtMs: number;
  /** From then on everything stands still. */
  readonly stoppedAtMs: number;
}

/**
 * Whether the backup may lack a call that was sent before everything stopped, so that the restored database knows nothing
 * of it. A call that was answered with BLOCK before is in the backup: it was answered after the commit. One that was
 * answered 503 may have been stored after that, as may one that was never answered; HubSpot sends it again, and to the app
 * it is new.
 */
export function isForgotten({ attempts }: Execution, restores: readonly Restore[]): boolean {
  const answeredAtMs = Math.min(
    ...attempts.filter(isHeldBy).map(({ sentAtMs, tookMs }) => sentAtMs + tookMs),
  );
  return restores.some(
    ({ backupAtMs, stoppedAtMs }) =>
      answeredAtMs >= backupAtMs && attempts.some(({ sentAtMs }) => sentAtMs <= stoppedAtMs),
  );
}

/**
 * Whether HubSpot took an end at `endedAtMs` that a restored database knows nothing of. HubSpot cannot be asked how a call
 * ended, so the app decides it once more, and may come to another end: today's cap is used up, tomorrow's is not.
 */
export function lacksEnd(endedAtMs: number, restores: readonly Restore[]): boolean {
  return restores.some(
    ({ backupAtMs, stoppedAtMs }) => endedAtMs >= backupAtMs - WRITTEN_WITHIN_MS && endedAtMs <= stoppedAtMs,
  );
}

/**
 * Plays what an operator does after a disaster: everything is stopped, the database of some seconds ago is put back, the
 * command of the runbook says so to the app, and everything is started again.
 *
 * @param steps.waitForAge resolves false if the run ends first: the backup is then left unused.
 * @throws Error with the command's output if it fails.
 */
export async function restoreBackup(
  stage: Stage,
  steps: { waitForAge: () => Promise<boolean>; onStop: () => Disturbance },
): Promise<Restore | undefined> {
  const { database, webs, workers, environment } = stage;
  const apps = [...webs, ...workers];
  const backupAtMs = Date.now();
  const backup = await database.backUp();
  if (!(await steps.waitForAge())) return undefined;
  const disturbance = steps.onStop();
  await Promise.all(apps.map((app) => app.hold()));
  const stoppedAtMs = Date.now();
  await database.kill();
  await database.restore(backup);
  await database.start();
  await run("npm", ["run", "--silent", "db:after-restore"], { cwd: ROOT, env: { ...environment } });
  await Promise.all(apps.map((app) => app.release()));
  disturbance.endedAtMs = Date.now();
  return { backupAtMs, stoppedAtMs };
}
