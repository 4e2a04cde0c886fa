import { expect, test } from "@jest/globals";
import { browser, portalId, site, useSettingsStage } from "../../support/settings-stage.js";

useSettingsStage();

const USERS = 2_001;
const SEQUENCES = 501;

/** What the filter's list of that name offers, in its order. */
function offered(page: string, name: string): string[] {
  const select = new RegExp(`<select[^>]* name="${name}"[^]*?</select>`).exec(page)?.[0] ?? "";
  return [...select.matchAll(/<option[^>]*>([^<]*)</g)].map(([, label = ""]) => label);
}

async function addMany(): Promise<void> {
  const { pool } = site.database;
  await pool.query(
    `INSERT INTO users (portal_id, user_id, email, first_name, super_admin, seat_names, is_listed)
     SELECT $1, 1000000 + n, 'user' || n || '@acme.example', 'User ' || lpad(n::text, 5, '0'), false, '{}', true
       FROM generate_series(1, ${USERS}) AS n`,
    [portalId],
  );
  await pool.query(
    `INSERT INTO sequences (portal_id, sequence_id, name, is_listed)
     SELECT $1, (7000 + n)::text, 'Sequence ' || lpad(n::text, 5, '0'), true FROM generate_series(1, ${SEQUENCES}) AS n`,
    [portalId],
  );
}

test("a list of the activity's filter says so if it does not hold all, and only then", async () => {
  const few = (await browser.get("/settings/activity")).text;
  expect(few).not.toContain("Only the first");
  await addMany();
  const { text } = await browser.get("/settings/activity");
  expect(offered(text, "sender").at(-1)).toBe("Only the first 2,000 by name");
  expect(offered(text, "sequence").at(-1)).toBe("Only the first 500 by name");
});

test("a sender and a sequence that the lists have no room for are called by name if the address names them", async () => {
  await addMany();
  const last = { sender: String(1_000_000 + USERS), sequence: String(7_000 + SEQUENCES) };
  const { text } = await browser.get(`/settings/activity?${new URLSearchParams(last).toString()}`);
  const chips = [...text.matchAll(/aria-label="Remove filter ([^"]*)"/g)].map(([, chip]) => chip);
  expect(chips).toEqual([
    `Sequence: Sequence 00${SEQUENCES}`,
    `Sender: User 0${USERS} · user${USERS}@acme.example`,
  ]);
});
