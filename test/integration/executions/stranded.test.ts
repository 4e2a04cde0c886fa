import { expect, test } from "@jest/globals";
import { recallStranded } from "#domain/executions/overdue/stranded.js";
import { database, DUE_STATES, minutesUntilDue, useDueTimes } from "../../support/due-times.js";
import { seedExecutions } from "../../support/executions.js";

const portalId = 7_001n;
const FAR = new Date("2083-11-30T00:00:00Z");

useDueTimes(portalId);

test("what is due only decades after its hold is due at the end of it, whatever its state, and nothing else is moved", async () => {
  const soon = new Date(Date.now() + 600_000);
  await seedExecutions(database, [
    ...DUE_STATES.map((state) => ({ portalId, state, dueAt: FAR, callbackId: `over-${state}` })),
    ...DUE_STATES.map((state) => ({ portalId, state, dueAt: FAR, callbackId: `held-${state}` })),
    ...DUE_STATES.map((state) => ({ portalId, state, dueAt: soon, callbackId: `well-${state}` })),
    { portalId, state: "COMPLETED", dueAt: soon, callbackId: "done" },
  ]);
  await database.pool.query(
    `UPDATE executions SET hold_ends_at = now() + CASE WHEN callback_id LIKE 'over-%' THEN interval '-1 day' ELSE interval '1 day' END`,
  );
  expect(await recallStranded(database.pool)).toBe(2 * DUE_STATES.length);
  expect(await minutesUntilDue()).toEqual(
    Object.fromEntries([
      ...DUE_STATES.map((state) => [`over-${state}`, 0]),
      ...DUE_STATES.map((state) => [`held-${state}`, 24 * 60]),
      ...DUE_STATES.map((state) => [`well-${state}`, 10]),
      ["done", 10],
    ]),
  );
  expect(await recallStranded(database.pool)).toBe(0);
});
