import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { localTime } from "#platform/time/local-time.js";
import type { Browser } from "../../../src/bin/oauth-browser.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { hiddenField } from "../../support/browser.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let browser: Browser;
let sequenceId: string;
let form_token: string;

beforeAll(async () => {
  running = await startRunningApp();
});

/** One for each test: the site asks HubSpot about ten contacts of an account in ten seconds, and no more. */
beforeEach(async () => {
  portal = addPlainPortal(running.simulator, { users: 3, sequences: 2, contacts: 1 });
  browser = await running.install(portal);
  form_token = hiddenField((await browser.open(`${running.publicUrl}/settings/try`)).body, "form_token");
  sequenceId = [...portal.sequences.keys()][0] ?? "";
  await sql("INSERT INTO portal_settings (portal_id, max_hold_days) VALUES ($1, 365)");
  // The first copy brings HubSpot's time zone of the account: ours is set after it.
  const isCopied = "SELECT FROM portals WHERE portal_id = $1 AND directory_synced_at IS NOT NULL";
  while ((await sql(isCopied)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

afterAll(() => running.close());

const sql = (text: string, ...values: unknown[]) =>
  running.db.database.pool.query<Record<string, unknown>>(text, [portal.portalId, ...values]);

/** What the page “Try it” answers for a contact and what a step says besides its sequence. */
async function tryIt(contactId: string, step: Record<string, string>): Promise<string> {
  const answer = await fetch(`${running.publicUrl}/settings/try`, {
    method: "POST",
    headers: { cookie: browser.cookies(), origin: running.publicUrl },
    body: new URLSearchParams({
      ...{ form_token, contact: contactId, sequence_id: sequenceId, sender_mode: "contact_owner", ...step },
    }),
  });
  const text = (await answer.text()).replaceAll(/<[^>]*>/g, "");
  return text.replaceAll(/\s+/g, " ");
}

function startStep(contactId: string, inputs: Record<string, string>) {
  return portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [contactId],
    inputs: { sequence_id: sequenceId, sender_mode: "contact_owner", ...inputs },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
}

/** When the real step takes the contact up, or the code it is refused with. */
async function realStep(contactId: string, inputs: Record<string, string>): Promise<Date | string> {
  startStep(contactId, inputs);
  for (;;) {
    const { rows } = await sql(
      `SELECT nullif(error_code, '') AS code, request ->> 'notBefore' AS not_before FROM executions
        WHERE portal_id = $1 AND contact_id = $2`,
      contactId,
    );
    const [row] = rows;
    if (row !== undefined) return (row["code"] as string | null) ?? new Date(String(row["not_before"]));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The next day of that month and day, so that what is named is less than a year away. */
function next(monthAndDay: string): string {
  const year = new Date().getUTCFullYear();
  const [day, nextYears] = [`${year}-${monthAndDay}`, `${year + 1}-${monthAndDay}`];
  return Date.parse(day) - Date.now() > 86_400_000 ? day : nextYears;
}

const WAYS_TO_NAME_A_MOMENT: readonly [what: string, named: () => string][] = [
  ["a day", () => next("02-10")],
  ["the day on which clocks go forward in America", () => next("03-14")],
  ["the day on which clocks go back in Europe", () => next("10-31")],
  ["a wall clock's time that does not exist in New York", () => `${next("03-14")}T02:30`],
  ["a wall clock's time", () => `${next("04-01")}T09:15:00`],
  ["a time with its offset", () => `${next("04-01")}T09:15:00+05:30`],
  ["a time in UTC", () => `${next("04-01")}T23:30:00Z`],
  ["HubSpot's milliseconds of a day", () => String(Date.parse(next("05-20")))],
  ["HubSpot's milliseconds of a time", () => String(Date.parse(`${next("05-20")}T13:45:00Z`))],
];

describe("the dry run of a step with “Not before” says when the real step begins", () => {
  test.each([
    ["America/New_York", "in New York"],
    ["Pacific/Kiritimati", "furthest in the east"],
    ["Europe/Berlin", "in Berlin"],
    ["Nowhere/Unknown", "of a zone that this machine does not know"],
  ])("in an account %s, for each way to name it", async (timeZone) => {
    await sql("UPDATE portals SET time_zone = $2 WHERE portal_id = $1", timeZone);
    for (const [what, named] of WAYS_TO_NAME_A_MOMENT) {
      const { id } = portal.addContact();
      const begins = await realStep(id, { not_before: named() });
      if (!(begins instanceof Date)) throw new Error(`${what}: ${begins}`);
      const said = await tryIt(id, { not_before: named() });
      const expected = `The contact would be enrolled on or after ${localTime(begins, timeZone)}.`;
      expect([what, said.includes(expected) || said]).toEqual([what, true]);
    }
  });

  test("and that it is refused if the contact would be held for longer than the account allows", async () => {
    await sql("UPDATE portal_settings SET max_hold_days = 30 WHERE portal_id = $1");
    const not_before = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
    const { id } = portal.addContact();
    expect(await realStep(id, { not_before })).toBe("INVALID_INPUT");
    const said = await tryIt(id, { not_before });
    expect(said).toContain("INVALID_INPUT");
    expect(said).toContain("longer than the 30 days that “Longest hold” in the app's settings allows");
  });

  test("and that a day that has begun holds nobody", async () => {
    await sql("UPDATE portals SET time_zone = 'Pacific/Kiritimati' WHERE portal_id = $1");
    const not_before = new Date(Date.now() + 14 * 3_600_000).toISOString().slice(0, 10);
    const owned = { hubspot_owner_id: portal.ownerOfUser(portal.senders[0]?.userId ?? 0).ownerId };
    const { id } = portal.addContact({ properties: owned });
    expect(await tryIt(id, { not_before })).toContain("would send");
    const run = startStep(id, { not_before });
    await run.finished;
    expect(run.executionOf(id).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
  });
});

describe("the dry run decides in the order of the real step", () => {
  test("a contact without an address under a preset that cannot be read is a wrong setting to both", async () => {
    const { rows } = await sql(
      `INSERT INTO presets (portal_id, name, policy) VALUES ($1, 'Broken', '{"sender": 1}') RETURNING preset_id::text AS id`,
    );
    const preset_id = String(rows[0]?.["id"]);
    const { id } = portal.addContact({ properties: { email: null } });
    const run = startStep(id, { preset_id });
    await run.finished;
    expect(run.executionOf(id).outputs).toMatchObject({ error_code: "INVALID_INPUT" });
    const said = await tryIt(id, { preset_id });
    expect(said).toContain("INVALID_INPUT");
    expect(said).not.toContain("CONTACT_HAS_NO_EMAIL");
  });

  test.each([
    ["skip", "SUCCESS", "the action keeps the contact there and continues"],
    ["fail", "FAIL_CONTINUE", "the action is marked as failed and the workflow continues"],
  ])(
    "a contact that is in a sequence now is told of with “%s”, as the real step ends",
    async (choice, state, sentence) => {
      const policy = { ...INITIAL_POLICY, cooldown: { days: 30, scope: "any" } };
      const { rows } = await sql(
        `INSERT INTO presets (portal_id, name, policy) VALUES ($1, $2, $3) RETURNING preset_id::text AS id`,
        ...[`Cooling, ${choice}`, policy],
      );
      const step = { preset_id: String(rows[0]?.["id"]), if_already_enrolled: choice };
      const owned = { hubspot_owner_id: portal.ownerOfUser(portal.senders[0]?.userId ?? 0).ownerId };
      const { id } = portal.addContact({ properties: owned });
      await startStep(id, {}).finished;
      const sequenceName = portal.sequences.get(sequenceId)?.name ?? "";
      for (const cooldown of [{}, { cooldown_days: "0" }]) {
        const said = await tryIt(id, { ...step, ...cooldown });
        const told = `The contact is in “${sequenceName}” now.`;
        expect([cooldown, said.includes(told) || said]).toEqual([cooldown, true]);
        expect([cooldown, said.includes(`With these rules, ${sentence}.`) || said]).toEqual([cooldown, true]);
        expect(said).toContain("Already in a sequence.");
        expect(said).not.toContain("Would be enrolled");
        const run = startStep(id, { ...step, ...cooldown });
        await run.finished;
        expect(run.executionOf(id).outputs).toMatchObject({
          ...{ enrollment_status: "ALREADY_ENROLLED", hs_execution_state: state },
        });
      }
    },
  );
});
