import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { UNENROLL_STEPS } from "#worker/unenroll/unenroll-tools.js";
import { QUICK, startUnenrollStage, type UnenrollStage } from "../../support/unenroll-stage.js";

/** How often each step is stopped. */
const STOPS = 2;

let stage: UnenrollStage;
let isStopping = false;
const stopped: string[] = [];

/** Ends the worker's turn before the step: what it had in memory is gone, and another turn finds what is stored. */
function onStep(step: string): void {
  if (!isStopping || stopped.filter((one) => one === step).length >= STOPS) return;
  stopped.push(step);
  throw new Error(`stopped before “${step}”`);
}

beforeAll(async () => {
  stage = await startUnenrollStage({
    simulator: { flowDelayMs: 300 },
    unenrolling: { times: QUICK, onStep },
  });
  await stage.switchOn();
});

afterAll(() => stage.close());

const enrollmentsOf = (contactId: string) =>
  stage.portal.enrollments.of(contactId).map(({ sequenceId, ended }) => [sequenceId, ended]);

async function cancelOneAmidItsMove(contactId: string): Promise<void> {
  await stage.until(() => stage.isStamped(contactId), "the stamp of the one that is canceled");
  await stage.running.db.database.pool.query(
    `UPDATE executions SET state = 'DECIDED', decided_at = now(), due_at = now() - interval '1 millisecond', execution_state = 'FAIL_CONTINUE', error_code = 'CANCELLED'
      WHERE contact_id = $1 AND state = 'WATCHING'`,
    [contactId],
  );
}

test("a stop before any step leaves no stamp, loses no call and enrolls nobody twice", async () => {
  const [oldSequence = "", newSequence = ""] = stage.sequenceIds;
  const contacts = (count: number) => Array.from({ length: count }, () => stage.enrolledContact(oldSequence));
  const [leaving, moving, canceled] = [contacts(4), contacts(4), stage.enrolledContact(oldSequence)];
  isStopping = true;
  const unenrolled = stage.unenroll(leaving);
  const replaced = stage.enroll(moving, { if_already_enrolled: "replace" });
  const ended = stage.unenroll([canceled]);
  await cancelOneAmidItsMove(canceled);
  await Promise.all([unenrolled.finished, replaced.finished, ended.finished]);
  await stage.until(async () => {
    const { rows } = await stage.running.db.database.pool.query(
      "SELECT FROM unenrollments WHERE state <> 'DONE'",
    );
    return rows.length === 0;
  }, "the end of all unenrollments");

  expect([...new Set(stopped)].sort()).toEqual([...UNENROLL_STEPS].sort());
  expect([...leaving, ...moving, canceled].filter((id) => stage.isStamped(id))).toEqual([]);
  expect(unenrolled.executions.map(({ outputs }) => outputs["outcome"])).toEqual(Array(4).fill("UNENROLLED"));
  expect(replaced.executions.map(({ outputs }) => outputs["enrollment_status"])).toEqual(
    Array(4).fill("ENROLLED"),
  );
  for (const contactId of leaving) expect(enrollmentsOf(contactId)).toEqual([[oldSequence, "unenrolled"]]);
  for (const contactId of moving)
    expect(enrollmentsOf(contactId)).toEqual([
      [oldSequence, "unenrolled"],
      [newSequence, undefined],
    ]);
});
