import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parseEnrollCall } from "#web/actions/execution-call.js";
import { parseWaitCall } from "#web/actions/wait-call.js";
import type { ParsedCall } from "#web/actions/call-envelope.js";
import { createAcceptor } from "#domain/executions/accept/accept.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTAL = 4_455n;
const HOUR_MS = 3_600_000;
const now = new Date();
const inHours = (hours: number): string => new Date(now.getTime() + hours * HOUR_MS).toISOString();

describe("how long a contact is held, and how long we have for it", () => {
  let db: TestDatabase;
  let calls = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
      PORTAL,
    ]);
  });

  afterAll(() => db.drop());

  function bodyOf(inputFields: Record<string, string>): Buffer {
    calls += 1;
    const callbackId = `ap-hold-${calls}`;
    return Buffer.from(
      JSON.stringify({
        callbackId,
        origin: { portalId: Number(PORTAL) },
        object: { objectId: 1 },
        inputFields,
      }),
    );
  }

  function enrollCall(inputs: Record<string, string>, maxHoldDays: number): ParsedCall | Promise<ParsedCall> {
    return parseEnrollCall(bodyOf({ sequence_id: "1", sender_mode: "contact_owner", ...inputs }), {
      readHoldSettings: () => Promise.resolve({ timeZone: null, maxHoldDays, now }),
    });
  }

  /** Hours from the acceptance to the deadline and to the end of the hold, as stored. */
  async function stored(
    parsed: ParsedCall,
    deadlineHours: number,
  ): Promise<{ deadline: number; hold: number }> {
    if (parsed.kind !== "valid") throw new Error("not a valid call");
    const accept = createAcceptor({ pool: db.database.pool, deadlineHours, onStored: () => undefined });
    expect(await accept(parsed.execution)).toBe("stored");
    const { rows } = await db.database.pool.query<{ deadline: number; hold: number }>(
      `SELECT (extract(epoch FROM deadline_at - accepted_at) / 3600)::float8 AS deadline,
              (extract(epoch FROM hold_ends_at - accepted_at) / 3600)::float8 AS hold
         FROM executions WHERE portal_id = $1 AND callback_id = $2`,
      [PORTAL, parsed.execution.callbackId],
    );
    return rows[0] as { deadline: number; hold: number };
  }

  const DAY = 24;
  const waits = { if_already_enrolled: "wait" };
  const inThreeDays = { not_before: inHours(72) };
  test.each([
    ["an ordinary step", { inputs: {}, hours: 10, deadline: 10, hold: 7 * DAY }],
    [
      "a date that has passed",
      { inputs: { not_before: "2020-01-01" }, hours: 10, deadline: 10, hold: 7 * DAY },
    ],
    ["a date in three days", { inputs: inThreeDays, hours: 10, deadline: 82, hold: 10 * DAY }],
    ["the same, by default", { inputs: inThreeDays, hours: 144, deadline: 216, hold: 10 * DAY }],
    ["the same, at the latest", { inputs: inThreeDays, hours: 167, deadline: 239, hold: 10 * DAY }],
    ["a wait for a sequence's end", { inputs: waits, hours: 10, deadline: 23 * DAY + 10, hold: 30 * DAY }],
    ["the same, by default", { inputs: waits, hours: 144, deadline: 29 * DAY, hold: 30 * DAY }],
    [
      "the same, within the ordinary hold",
      { inputs: waits, maxHoldDays: 7, hours: 10, deadline: 10, hold: 7 * DAY },
    ],
  ])("%s", async (_step, { inputs, hours, ...expected }) => {
    const maxHoldDays = "maxHoldDays" in expected ? expected.maxHoldDays : 30;
    const { deadline, hold } = await stored(await enrollCall(inputs, maxHoldDays), hours);
    expect(deadline).toBeCloseTo(expected.deadline, 3);
    // An hour of it is kept for the completion.
    expect(hold).toBeCloseTo(expected.hold - 1, 3);
    expect(deadline).toBeLessThanOrEqual(hold);
  });

  test.each([10, 144])(
    "a wait of 14 days has a day more, with %d hours as with any",
    async (deadlineHours) => {
      const options = { readHoldSettings: () => Promise.resolve({ timeZone: null, maxHoldDays: 30, now }) };
      const parsed = await parseWaitCall(bodyOf({ max_wait_days: "14" }), options);
      expect((await stored(parsed, deadlineHours)).deadline).toBeCloseTo(15 * DAY, 3);
    },
  );
});
