import { beforeEach, describe, expect, test } from "@jest/globals";
import { SENDER_OPTIONS_ROUTE, SEQUENCE_OPTIONS_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import {
  HOSTILE_NAMES,
  DEFAULT_PRESET,
  running,
  portal,
  other,
  synced,
  untilSynced,
  sequences,
  rotations,
  presets,
  senders,
  allPages,
  labels,
  postRaw,
  useOptionsStage,
} from "../../support/options-stage.js";

useOptionsStage();

describe("the dropdowns of the workflow editor", () => {
  describe("of sequences", () => {
    test("pages through all of them, each once, by name", async () => {
      const seen = await allPages(sequences);
      expect(seen.map(({ value }) => value).sort()).toEqual([...portal.sequences.keys()].sort());
      const names = seen.map(({ label }) => label.toLowerCase());
      expect(names).toEqual([...names].sort());
    });

    test("brings the stored one to the first page with its label, and does not repeat it later", async () => {
      const last = (await allPages(sequences)).at(-1);
      const first = await sequences({ selected: last?.value ?? "" });
      expect(first.options).toContainEqual(last);
      const seen = await allPages(sequences, { selected: last?.value ?? "" });
      expect(seen.filter(({ value }) => value === last?.value)).toHaveLength(1);
      expect(seen).toHaveLength(130);
    });

    test("shows a stored one that nobody knows as its number", async () => {
      const { options } = await sequences({ selected: "424242" });
      expect(options.find(({ value }) => value === "424242")?.label).toContain("424242");
    });

    test("finds by any part of the name, whatever the case", async () => {
      const found = await allPages(sequences, { q: "RIGHT TO LE" });
      expect(found.map(({ label }) => label)).toEqual(["\u202eright to left"]);
    });

    test("takes the wildcards of the database literally", async () => {
      expect(labels(await sequences({ q: "%" }))).toEqual([HOSTILE_NAMES[1]]);
      expect(labels(await sequences({ q: "_safe_" }))).toEqual([HOSTILE_NAMES[1]]);
      expect(labels(await sequences({ q: "\\" }))).toEqual([HOSTILE_NAMES[1]]);
      expect(labels(await sequences({ q: "a%e" }))).toEqual([]);
    });

    test("finds by the whole id, because the editor looks up a stored value that way", async () => {
      const [id, sequence] = [...portal.sequences][42] ?? [];
      const { options } = await sequences({ q: id ?? "" });
      expect(options).toEqual([{ label: sequence?.name, value: id }]);
    });

    test("pages a search as well", async () => {
      const wanted = [...portal.sequences.values()].filter(({ name }) => /e/i.test(name));
      expect(wanted.length).toBeGreaterThan(50);
      const found = await allPages(sequences, { q: "e" });
      expect(found.map(({ value }) => value).sort()).toEqual(wanted.map(({ id }) => id).sort());
    });

    test("gives hostile names back unharmed", async () => {
      const seen = (await allPages(sequences)).map(({ label }) => label);
      for (const name of HOSTILE_NAMES) expect(seen).toContain(name);
    });

    test("never shows one account another's, not even by id", async () => {
      expect(labels(await sequences({ from: other }))).toEqual(["Only for the other"]);
      expect((await allPages(sequences)).map(({ value }) => value)).not.toContain("900000001");
      expect(labels(await sequences({ q: "900000001" }))).toEqual([]);
      expect(labels(await sequences({ q: "Only for" }))).toEqual([]);
      const stored = (await sequences({ selected: "900000001" })).options.find(
        ({ value }) => value === "900000001",
      );
      expect(stored?.label).not.toContain("Only for the other");
    });

    test("says that a stored one was removed, and no longer offers it", async () => {
      const [removed] = [...portal.sequences.values()].slice(-20);
      if (removed === undefined) throw new Error("no sequence");
      removed.deleted = true;
      await renew();
      expect((await allPages(sequences)).map(({ value }) => value)).not.toContain(removed.id);
      const { options } = await sequences({ selected: removed.id });
      expect(options.find(({ value }) => value === removed.id)?.label).toBe(
        `${removed.name} (no longer available)`,
      );
    });

    /** Lets the copy grow old and opens a dropdown: the copy is renewed behind the answer. */
    async function renew(): Promise<void> {
      await running.db.database.pool.query(
        `UPDATE portals SET directory_synced_at = now() - interval '5 minutes', directory_requested_at = now() - interval '5 minutes'
        WHERE portal_id = $1`,
        [portal.portalId],
      );
      const before = (await synced(portal)) as Date;
      await sequences();
      await untilSynced(portal, before);
    }

    test("are renewed behind the answer when the copy is old", async () => {
      const { id } = portal.addSequence({ name: "AAA brand new" });
      expect((await sequences({ q: "brand new" })).options).toEqual([]);
      await renew();
      expect((await sequences({ q: "brand new" })).options).toEqual([{ label: "AAA brand new", value: id }]);
    });

    test("are not renewed by every look: a fresh copy costs no request", async () => {
      await renew();
      const count = () => portal.traffic.counted - portal.traffic.requestsOf("flows");
      const before = count();
      await Promise.all(Array.from({ length: 20 }, () => sequences()));
      expect(count()).toBe(before);
    });
  });

  describe.each([
    ["rotations", rotations],
    ["presets", presets],
  ] as const)("of %s", (_what, list) => {
    test("pages through all of them by name, hostile names unharmed, each once", async () => {
      const seen = (await allPages(list))
        .map(({ label }) => label)
        .filter((label) => label !== DEFAULT_PRESET);
      expect(seen).toHaveLength(75);
      expect(new Set(seen).size).toBe(75);
      expect(seen).toEqual(expect.arrayContaining([...HOSTILE_NAMES, "Team 69"]));
    });

    test("finds by any part of the name, and brings the stored one to the first page", async () => {
      expect(labels(await list({ q: "eam 6" }))).toHaveLength(10);
      expect(labels(await list({ q: "%" }))).toEqual([HOSTILE_NAMES[1]]);
      const last = (await allPages(list)).at(-1);
      expect((await list({ selected: last?.value ?? "" })).options).toContainEqual(last);
    });

    test("names a stored one that was deleted by its number", async () => {
      const { options } = await list({ selected: "424242" });
      expect(options.find(({ value }) => value === "424242")?.label).toContain("424242 (not found)");
    });

    test("never shows one account another's, not even by id", async () => {
      expect(labels(await list({ from: other })).filter((label) => label !== DEFAULT_PRESET)).toEqual([
        "Only for the other",
      ]);
      expect(labels(await list({ q: "900000001" }))).toEqual([]);
      const { options } = await list({ selected: "900000001" });
      expect(options.find(({ value }) => value === "900000001")?.label).toContain("(not found)");
    });
  });

  describe("of senders", () => {
    test("offer only those who may send; one who may not keeps the label, marked as not allowed", async () => {
      const { prisma } = running.db.database;
      const portalId = BigInt(portal.portalId);
      const all = await allPages(senders);
      const [allowed, forbidden] = all;
      if (allowed === undefined || forbidden === undefined) throw new Error("too few senders");
      const mark = (value: string, isAllowed: boolean) => ({
        portalId,
        userId: BigInt(value),
        windowDays: [],
        isAllowed,
      });
      await prisma.senderSettings.createMany({
        data: [mark(allowed.value, true), mark(forbidden.value, false)],
      });
      expect(await allPages(senders)).toEqual(all.filter((option) => option !== forbidden));
      await prisma.portalSettings.create({ data: { portalId, onlyListedSenders: true } });
      expect(await allPages(senders)).toEqual([allowed]);
      const { options } = await senders({ selected: forbidden.value });
      expect(options).toContainEqual({ ...forbidden, label: `${forbidden.label} (not allowed)` });
      await prisma.senderSettings.deleteMany({ where: { portalId } });
      await prisma.portalSettings.deleteMany({ where: { portalId } });
    });

    test("offer the active people with their addresses, once each, and no queue", async () => {
      const seen = await allPages(senders);
      const active = [...portal.users.values()].filter((user) => user.active);
      expect(seen.map(({ value }) => value).sort()).toEqual(
        active.map(({ userId }) => String(userId)).sort(),
      );
      expect(seen.find(({ value }) => value === String(portal.admin.userId))).toEqual({
        label: `${portal.admin.firstName} ${portal.admin.lastName}`,
        description: portal.admin.email,
        value: String(portal.admin.userId),
      });
    });

    test("find by address and by name", async () => {
      const user = portal.admin;
      for (const q of [
        user.email.toUpperCase(),
        `${user.firstName} ${user.lastName}`.toLowerCase(),
        String(user.userId),
      ]) {
        expect((await senders({ q })).options.map(({ value }) => value)).toContain(String(user.userId));
      }
    });

    test("show a stored person that nobody knows as a number", async () => {
      const { options } = await senders({ selected: "123456" });
      expect(options.find(({ value }) => value === "123456")?.label).toContain("123456");
    });

    test("never show one account another's people", async () => {
      const [first] = other.users.keys();
      const seen = (await allPages(senders, { from: other })).map(({ value }) => value);
      expect(seen.sort()).toEqual([...other.users.keys()].map(String).sort());
      expect(first).toBeDefined();
    });

    test("say that a stored person was deactivated since", async () => {
      const user = portal.addUser({ firstName: "Gone", lastName: "Soon" });
      await resync();
      expect((await allPages(senders)).map(({ value }) => value)).toContain(String(user.userId));
      portal.deactivateUser(user.userId);
      await resync();
      expect((await allPages(senders)).map(({ value }) => value)).not.toContain(String(user.userId));
      const { options } = await senders({ selected: String(user.userId) });
      expect(options.find(({ value }) => value === String(user.userId))?.label).toBe(
        "Gone Soon (deactivated)",
      );
    });

    async function resync(): Promise<void> {
      await running.db.database.pool.query(
        `UPDATE portals SET directory_synced_at = now() - interval '5 minutes', directory_requested_at = now() - interval '5 minutes'
        WHERE portal_id = $1`,
        [portal.portalId],
      );
      const before = (await synced(portal)) as Date;
      await senders();
      await untilSynced(portal, before);
    }
  });

  describe("with 5,000 sequences and people", () => {
    const many = 31_337;

    beforeEach(async () => {
      const { pool } = running.db.database;
      await pool.query(
        `INSERT INTO portals (portal_id, status, scopes, directory_requested_at, directory_synced_at)
       VALUES ($1, 'CONNECTED', '{}', now() + interval '1 hour', now() + interval '1 hour') ON CONFLICT DO NOTHING`,
        [many],
      );
      await pool.query(
        `INSERT INTO sequences (portal_id, sequence_id, name, is_listed)
       SELECT $1, number::text, 'Sequence ' || md5(number::text), true FROM generate_series(1, 5000) AS number
       ON CONFLICT DO NOTHING`,
        [many],
      );
      await pool.query(
        `INSERT INTO users (portal_id, user_id, email, first_name, super_admin, seat_names, is_listed)
       SELECT $1, number, 'u' || number || '@acme.example', md5(number::text), false, '{}', true
         FROM generate_series(1, 5000) AS number ON CONFLICT DO NOTHING`,
        [many],
      );
    });

    test.each([
      ["the first page of sequences", SEQUENCE_OPTIONS_ROUTE, {}],
      ["a search in sequences", SEQUENCE_OPTIONS_ROUTE, { q: "ab" }],
      ["the first page of senders", SENDER_OPTIONS_ROUTE, {}],
      ["a search in senders", SENDER_OPTIONS_ROUTE, { q: "u49" }],
    ])("%s comes within 500 ms", async (_what, route, fetchOptions) => {
      const body = JSON.stringify({ origin: { portalId: many }, fetchOptions });
      const startedAt = performance.now();
      const answer = await postRaw(route, body);
      expect(performance.now() - startedAt).toBeLessThan(500);
      expect((JSON.parse(answer.text) as { options: unknown[] }).options.length).toBe(50);
    });
  });
});
