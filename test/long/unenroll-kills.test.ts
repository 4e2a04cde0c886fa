import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { UNENROLL_STEPS } from "#worker/unenroll/unenroll-tools.js";
import type { WorkerTask } from "../support/unenroll-process.js";
import { startUnenrollStage, type UnenrollStage } from "../support/unenroll-stage.js";

const SCRIPT = fileURLToPath(new URL("../support/unenroll-process.ts", import.meta.url));
/** A dead owner's portal is taken over after some 15 s. */
const LONGEST_LIFE_MS = 120_000;
/** Contacts of each kind for each kill. */
const CONTACTS = 2;

let stage: UnenrollStage;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  stage = await startUnenrollStage({ environment: { ROLE: "web" }, simulator: { flowDelayMs: 500 } });
}, 120_000);

afterAll(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  await stage.close();
});

function startWorker(diesBefore?: string): ChildProcess {
  const worker = fork(SCRIPT, { execArgv: ["--import", "tsx"] });
  workers.push(worker);
  const { environment } = stage.running;
  worker.send({ environment, diesBefore } satisfies WorkerTask);
  return worker;
}

test("workers killed before each step leave no stamp, lose no call and enroll nobody twice", async () => {
  const [oldSequence = "", newSequence = ""] = stage.sequenceIds;
  const first = startWorker();
  await stage.switchOn();
  first.kill("SIGKILL");
  const [leaving, moving]: [string[], string[]] = [[], []];
  const runs = [];
  const cancels: Promise<void>[] = [];
  const deaths: [string, NodeJS.Signals | null][] = [];
  for (const step of UNENROLL_STEPS) {
    const [out, over] = [0, 1].map(() =>
      Array.from({ length: CONTACTS }, () => stage.enrolledContact(oldSequence)),
    ) as [string[], string[]];
    leaving.push(...out);
    moving.push(...over);
    const canceled = stage.enrolledContact(oldSequence);
    runs.push(
      stage.unenroll(out),
      stage.enroll(over, { if_already_enrolled: "replace" }),
      stage.unenroll([canceled]),
    );
    const worker = startWorker(step);
    const died = once(worker, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    // Goes on under the next worker if this one dies first.
    cancels.push(cancelOnceWatched(canceled));
    const [, signal] = await Promise.race([
      died,
      once(AbortSignal.timeout(LONGEST_LIFE_MS), "abort").then(() => [null, null] as const),
    ]);
    deaths.push([step, signal]);
    // One that never came to its step would keep the portal from the next.
    worker.kill("SIGKILL");
  }
  startWorker();
  await Promise.all(cancels);
  await Promise.all(runs.map(({ finished }) => finished));
  const { pool } = stage.running.db.database;
  await stage.until(
    async () => (await pool.query("SELECT FROM unenrollments WHERE state <> 'DONE'")).rowCount === 0,
    "the end of all unenrollments",
  );

  expect(deaths).toEqual(UNENROLL_STEPS.map((step) => [step, "SIGKILL"]));
  expect([...stage.portal.contacts.keys()].filter((id) => stage.isStamped(id))).toEqual([]);
  for (const contactId of leaving) expect(enrollmentsOf(contactId)).toEqual([[oldSequence, "unenrolled"]]);
  for (const contactId of moving)
    expect(enrollmentsOf(contactId)).toEqual([
      [oldSequence, "unenrolled"],
      [newSequence, undefined],
    ]);
  expect(
    runs
      .flatMap(({ executions }) => executions)
      .filter(({ outputs }) => outputs["hs_execution_state"] === undefined),
  ).toEqual([]);
}, 900_000);

const enrollmentsOf = (contactId: string) =>
  stage.portal.enrollments.of(contactId).map(({ sequenceId, ended }) => [sequenceId, ended]);

/** As an admin does: the step that finds it so has something to withdraw. */
async function cancelOnceWatched(contactId: string): Promise<void> {
  const { pool } = stage.running.db.database;
  const cancel = `UPDATE executions SET state = 'DECIDED', decided_at = now(), due_at = now() - interval '1 millisecond', execution_state = 'FAIL_CONTINUE', error_code = 'CANCELLED'
    WHERE contact_id = $1 AND state = 'WATCHING'`;
  for (let looks = 0; looks < LONGEST_LIFE_MS / 50; looks += 1) {
    if ((await pool.query(cancel, [contactId])).rowCount === 1) return;
    const { rowCount } = await pool.query(
      "SELECT FROM executions WHERE contact_id = $1 AND decided_at IS NOT NULL",
      [contactId],
    );
    if (rowCount === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
