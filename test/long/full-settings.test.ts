import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { hiddenField, type Browser, type BrowserAnswer } from "../support/browser.js";
import { watchHalts } from "../support/longest-halt.js";
import { install, letInstallersIn, startSite, type Site } from "../support/site.js";

const MOST = 500;
const PEOPLE = 5_001;
/** By name the last of all. */
const LAST = 1_000_000n + BigInt(PEOPLE);
/** A busy machine halts one of them now and then, a page that is too large all. */
const ROUNDS = 3;
const LONGEST_HALT_MS = 250;

describe(`an account with ${MOST} rotations of 200 members, ${MOST} presets of 1,000 domains and ${PEOPLE} people`, () => {
  let site: Site;
  let browser: Browser;
  let portalId: bigint;

  beforeAll(async () => {
    site = await startSite();
    browser = site.browser();
    portalId = BigInt(site.simulator.addPortal().portalId);
    await install(site, browser, Number(portalId));
    await letInstallersIn(site.database);
    const { pool } = site.database;
    await pool.query(
      `INSERT INTO users (portal_id, user_id, email, first_name, super_admin, seat_names, is_listed)
       SELECT $1, 1000000 + n, 'user' || n || '@acme.example', 'User ' || lpad(n::text, 5, '0'), false, '{}', true
         FROM generate_series(1, ${PEOPLE}) AS n`,
      [portalId],
    );
    await pool.query(
      `WITH rotation AS (
         INSERT INTO rotations (portal_id, name, version) SELECT $1, 'Rotation ' || n, 1 FROM generate_series(1, ${MOST}) AS n
         RETURNING rotation_id
       )
       INSERT INTO rotation_members (portal_id, rotation_id, user_id, weight, picks)
       SELECT $1, rotation_id, 1000000 + n, CASE n WHEN 1 THEN 51 ELSE 1 END, 2 FROM rotation, generate_series(1, 200) AS n`,
      [portalId],
    );
    const domains = Array.from({ length: 1_000 }, (_, index) => `domain-${index}.example`);
    await pool.query(
      `INSERT INTO presets (portal_id, name, version, policy) SELECT $1, 'Preset ' || n, 1, $2 FROM generate_series(1, ${MOST}) AS n`,
      [portalId, { ...INITIAL_POLICY, suppression: { domains, property: null } }],
    );
  });

  afterAll(() => site.close());

  const page = async (path: string): Promise<string> => (await browser.get(`/settings/${path}`)).text;

  async function submit(path: string, fields: Record<string, string>): Promise<BrowserAnswer> {
    const form_token = hiddenField(await page(path), "form_token");
    return browser.post(`/settings/${path}`, { form_token, version: "0", ...fields });
  }

  test("is shown all of them, added up, without a long halt of the event loop", async () => {
    for (const path of ["rotations", "presets", "presets/new", "rotations/new", "try", "policy"]) {
      const haltsMs: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const longestHaltMs = watchHalts();
        await page(path);
        haltsMs.push(longestHaltMs());
      }
      if (Math.min(...haltsMs) >= LONGEST_HALT_MS) throw new Error(`${path}: ${haltsMs.join(" ms, ")} ms`);
    }
    const rotations = await page("rotations");
    expect(rotations.match(/href="\/settings\/rotations\/\d+"/g)).toHaveLength(MOST);
    expect(rotations).toMatch(/User 00001<\/bdi> · *20%.*and 194 more.*400/s);
    const presets = await page("presets");
    expect(presets.match(/1,000 blocked domains/g)).toHaveLength(MOST);
  });

  test("cannot add one more, and is told what to do instead", async () => {
    const rotation = { name: "One more", member: "1000001", weight_1000001: "1" };
    const preset = {
      name: "One more",
      sender_mode: "contact_owner",
      when_nobody: "wait",
      if_already_enrolled: "skip",
      cooldown_days: "0",
      cooldown_scope: "any",
    };
    for (const [path, fields] of [
      ["rotations/new", rotation],
      ["presets/new", preset],
    ] as const) {
      const { status, text } = await submit(path, fields);
      expect([path, status]).toEqual([path, 422]);
      expect(text).toContain("Delete one you no longer use first.");
    }
    const { prisma } = site.database;
    const where = { portalId };
    expect([await prisma.rotation.count({ where }), await prisma.preset.count({ where })]).toEqual([
      MOST,
      MOST,
    ]);
  });

  test("sees wherever people are listed that the list is not complete, and can still mark the last one", async () => {
    for (const path of ["policy", "presets/new", "rotations/new", "try"]) {
      const text = await page(path);
      expect([path, text.includes("Only the first 5,000 users by name are listed here.")]).toEqual([
        path,
        true,
      ]);
      expect(text).not.toContain(`value="${LAST}"`);
    }
    const last = { user: String(LAST), [`version_${LAST}`]: "0" };
    const marked = await submit("senders", { ...last, mark: "not-allowed" });
    expect(marked.status).toBe(303);
    expect(await site.database.prisma.senderSettings.findMany({ where: { portalId } })).toMatchObject([
      { userId: LAST, isAllowed: false },
    ]);
  });
});
