import { afterEach, expect, test } from "@jest/globals";
import { query } from "../support/sql.js";
import { startProcessStage } from "../support/process-stage.js";

const CONTACTS = 300;
/** How many completions HubSpot has taken when the database dies, each time: during a batch that is under way. */
const KILLED_AT = [30, 120, 210];
/** What was under way when the database died is believed to have come to nothing after two minutes. */
const FINISHED_WITHIN_MS = 280_000;

let close: (() => Promise<void>) | undefined;

afterEach(() => close?.());

test(
  "however often the database dies during completions, each workflow hears the true outcome, once",
  async () => {
    const stage = await startProcessStage({
      contacts: CONTACTS,
      simulator: {
        latencyMs: [150, 300],
        faults: { callbacks: { errorAfter: 0.15, resetAfter: 0.15, errorBefore: 0.1 } },
      },
    });
    close = () => stage.close({ graceMs: 0 });
    const { portal } = stage.cast;
    const run = stage.run({ callsPerSecond: 40 });
    for (const taken of KILLED_AT) {
      await stage.simulator.waitFor(() => portal.callbacks.acceptedCount >= taken, { timeoutMs: 200_000 });
      await stage.database.kill();
      await stage.database.start();
    }
    await run.finished;

    expect(portal.callbacks.acceptedCount).toBe(CONTACTS);
    expect(stage.enrolledTwice()).toEqual([]);
    for (const { contactId, outputs } of run.executions) {
      const isEnrolled = portal.enrollments.factsOf(contactId).accepted === 1;
      expect([contactId, outputs["enrollment_status"] === "ENROLLED"]).toEqual([contactId, isEnrolled]);
    }
    // The app knows of each that HubSpot took it, and shows admins what the workflow was told.
    while ((await stage.states())["COMPLETED"] !== CONTACTS)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const rows = await query(
      stage.database.url,
      "SELECT callback_id, enrollment_status, error_code FROM executions",
    );
    const shown = rows.map((row) => [row["callback_id"], row["enrollment_status"], row["error_code"] ?? ""]);
    const told = rows.map(({ callback_id: id }) => {
      const outputs = portal.callbacks.get(String(id))?.accepted?.outputFields;
      return [id, outputs?.["enrollment_status"], outputs?.["error_code"] ?? ""];
    });
    expect(shown).toEqual(told);
  },
  FINISHED_WITHIN_MS,
);
