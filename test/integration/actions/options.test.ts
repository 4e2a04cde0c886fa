import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  LEFT_TO_PRESET,
  PRESET_OPTIONS_ROUTE,
  ROTATION_OPTIONS_ROUTE,
  SENDER_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { OptionsAnswer } from "../../../src/simulator/workflow/options.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const HOSTILE_NAMES = [
  `<script>alert("x")</script>`,
  `100% _safe_ \\ 'quoted' "twice"`,
  "'; DROP TABLE sequences; --",
  "Ünïcödé — 日本語 🚀",
  "\u202eright to left",
];

const DEFAULT_PRESET = "The account's default preset";

describe("the dropdowns of the workflow editor", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let other: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { sequences: 125 });
    for (const name of HOSTILE_NAMES) portal.addSequence({ name });
    other = addPlainPortal(running.simulator, {
      sequences: [{ id: "900000001", name: "Only for the other" }],
      users: 2,
    });
    await running.install(portal);
    await running.install(other);
    await untilSynced(portal);
    await untilSynced(other);
    await seedPolicy();
  });

  /** A page and a half of rotations and presets, and one of the other account's. */
  async function seedPolicy(): Promise<void> {
    const { prisma } = running.db.database;
    const portalId = BigInt(portal.portalId);
    const names = [
      ...HOSTILE_NAMES,
      ...Array.from({ length: 70 }, (_, index) => `Team ${String(index).padStart(2, "0")}`),
    ];
    await prisma.rotation.createMany({ data: names.map((name) => ({ portalId, name })) });
    await prisma.preset.createMany({
      data: names.map((name) => ({ portalId, name, policy: INITIAL_POLICY, isDefault: name === "Team 07" })),
    });
    const foreign = { portalId: BigInt(other.portalId), name: "Only for the other" };
    await prisma.rotation.create({ data: { ...foreign, rotationId: 900_000_001n } });
    await prisma.preset.create({ data: { ...foreign, presetId: 900_000_001n, policy: INITIAL_POLICY } });
  }

  afterAll(() => running.close());

  const synced = async (one: SimulatedPortal): Promise<Date | null> => {
    const row = await running.db.database.prisma.portal.findUnique({
      where: { portalId: BigInt(one.portalId) },
    });
    return row?.directorySyncedAt ?? null;
  };

  async function untilSynced(one: SimulatedPortal, after = new Date(0)): Promise<void> {
    const deadlineMs = Date.now() + 60_000;
    for (;;) {
      const at = await synced(one);
      if (at !== null && at > after) return;
      if (Date.now() > deadlineMs) throw new Error(`portal ${one.portalId} was not synced`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  interface Ask {
    q?: string;
    after?: string;
    selected?: string;
    from?: SimulatedPortal;
  }

  const sequences = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
    from.fetchOptions({
      optionsUrl: running.publicUrl + SEQUENCE_OPTIONS_ROUTE,
      inputFieldName: "sequence_id",
      ...(selected === undefined ? {} : { inputFields: { sequence_id: selected } }),
      ...ask,
    });

  const rotations = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
    from.fetchOptions({
      optionsUrl: running.publicUrl + ROTATION_OPTIONS_ROUTE,
      inputFieldName: "rotation_id",
      ...(selected === undefined ? {} : { inputFields: { rotation_id: selected } }),
      ...ask,
    });

  const presets = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
    from.fetchOptions({
      optionsUrl: running.publicUrl + PRESET_OPTIONS_ROUTE,
      inputFieldName: "preset_id",
      ...(selected === undefined ? {} : { inputFields: { preset_id: selected } }),
      ...ask,
    });

  const senders = ({ from = portal, selected, ...ask }: Ask = {}): Promise<OptionsAnswer> =>
    from.fetchOptions({
      optionsUrl: running.publicUrl + SENDER_OPTIONS_ROUTE,
      inputFieldName: "sender_user_id",
      ...(selected === undefined ? {} : { inputFields: { sender_user_id: selected } }),
      ...ask,
    });

  async function allPages(
    list: typeof sequences,
    ask: Ask = {},
  ): Promise<OptionsAnswer["options"][number][]> {
    const seen: OptionsAnswer["options"][number][] = [];
    let after: string | undefined;
    do {
      const page = await list({ ...ask, ...(after === undefined ? {} : { after }) });
      expect(page.status).toBe(200);
      seen.push(...page.options);
      after = page.after;
    } while (after !== undefined);
    return seen;
  }

  const labels = (answer: OptionsAnswer): string[] => answer.options.map(({ label }) => label);

  async function postRaw(route: string, body: string, headers?: Record<string, string>) {
    const url = running.publicUrl + route;
    const signed = headers ?? running.simulator.sign({ method: "POST", url, body });
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...signed },
      body,
    });
    return { status: response.status, text: await response.text() };
  }

  test.each<[string, string]>([
    ["a text that never ends", `1234567890123456"${'\\"'.repeat(80_000)}`],
    ["many texts", `["1234567890123456"${',"\\\\"'.repeat(20_000)}`],
    ["digits", "1".repeat(150_000)],
  ])("a cursor of %s costs no more than the first page", async (_what, text) => {
    const after = Buffer.from(text).toString("base64url");
    const startedAt = performance.now();
    const [page, health] = await Promise.all([
      sequences({ after }),
      fetch(`${running.publicUrl}/healthz`).then(() => performance.now() - startedAt),
    ]);
    expect(page.status).toBe(200);
    expect(page.options).toHaveLength(50);
    expect(health).toBeLessThan(1_500);
  });

  test("a long search is searched by its beginning, and a long value is none of the list", async () => {
    const name = `Long ${"name ".repeat(50)}`.slice(0, 220);
    const { sequence } = running.db.database.prisma;
    const key = { portalId: BigInt(portal.portalId), sequenceId: "1" };
    await sequence.create({ data: { ...key, name, isListed: true } });
    expect(labels(await sequences({ q: `${name}${"and more ".repeat(9_000)}` }))).toEqual([name]);
    await sequence.delete({ where: { portalId_sequenceId: key } });
    const { status, body } = await sequences({ selected: "9".repeat(5_000) });
    expect(status).toBe(200);
    expect(body).not.toContain("99999");
  });

  describe.each([SEQUENCE_OPTIONS_ROUTE, SENDER_OPTIONS_ROUTE, ROTATION_OPTIONS_ROUTE, PRESET_OPTIONS_ROUTE])(
    "POST %s",
    (route) => {
      const body = (portalId: unknown = portal.portalId) =>
        JSON.stringify({ origin: { portalId }, inputFieldName: "x", inputFields: {} });

      test("is for HubSpot only", async () => {
        expect((await postRaw(route, body(), {})).status).toBe(401);
        const stale = running.simulator.sign(
          { method: "POST", url: running.publicUrl + route, body: body() },
          { v3: "stale" },
        );
        expect((await postRaw(route, body(), stale)).status).toBe(401);
        expect((await postRaw(route, body())).status).toBe(200);
      });

      test.each([
        ["text that is not JSON", "{"],
        ["a list", "[]"],
        ["nothing", ""],
        ["no portal", `{"origin":{}}`],
        ["a portal that is no id", `{"origin":{"portalId":"1 OR 1=1"}}`],
        ["a portal with a fraction", `{"origin":{"portalId":1.5}}`],
      ])("answers 400 to %s", async (_what, text) => {
        const answer = await postRaw(route, text);
        expect(answer.status).toBe(400);
        expect(JSON.parse(answer.text)).toMatchObject({ code: "BODY_UNREADABLE" });
      });

      test("takes what is misshapen for absent: the list is that of a plain request", async () => {
        const { portalId } = portal;
        const plain = await postRaw(route, JSON.stringify({ origin: { portalId } }));
        const misshapen: object[] = [
          ...[null, [], [1], "text", 7, true].flatMap((odd) => [{ fetchOptions: odd }, { inputFields: odd }]),
          ...[null, [], { $ne: 1 }, true].map((odd) => ({ fetchOptions: { q: odd, after: odd } })),
          ...[[], {}, 7].map((odd) => ({ inputFieldName: odd })),
        ];
        for (const asked of misshapen) {
          expect(await postRaw(route, JSON.stringify({ origin: { portalId }, ...asked }))).toEqual(plain);
        }
      });

      test("takes a number for its text", async () => {
        for (const fetchOptions of [{ q: 4_242 }, { after: 4_242 }, { q: 1.5, after: 0 }]) {
          const texts = Object.fromEntries(
            Object.entries(fetchOptions).map(([name, n]) => [name, String(n)]),
          );
          const [asNumber, asText] = await Promise.all(
            [fetchOptions, texts].map((asked) =>
              postRaw(route, JSON.stringify({ origin: { portalId: portal.portalId }, fetchOptions: asked })),
            ),
          );
          expect(asNumber?.status).toBe(200);
          expect(asNumber).toEqual(asText);
        }
      });

      test("gives an account that is not connected an empty list", async () => {
        const answer = await postRaw(route, body(999_999));
        expect(answer.status).toBe(200);
        const options =
          route === PRESET_OPTIONS_ROUTE ? [{ label: DEFAULT_PRESET, value: LEFT_TO_PRESET }] : [];
        expect(JSON.parse(answer.text)).toEqual({ options, searchable: true });
      });

      test("takes a cursor it did not make for none", async () => {
        for (const after of ["x", "%%%", Buffer.from(`{"a":1}`).toString("base64url")]) {
          const asked = JSON.stringify({ origin: { portalId: portal.portalId }, fetchOptions: { after } });
          const answer = await postRaw(route, asked);
          expect(answer.status).toBe(200);
          expect((JSON.parse(answer.text) as { options: unknown[] }).options.length).toBeGreaterThan(0);
        }
      });

      test("is not brought down by text that the database cannot hold", async () => {
        const { portalId } = portal;
        for (const asked of [
          { origin: { portalId }, fetchOptions: { q: "nul \u0000 byte" } },
          {
            origin: { portalId },
            inputFieldName: "x",
            inputFields: { x: { type: "STATIC_VALUE", value: "\u0000" } },
          },
          {
            origin: { portalId },
            fetchOptions: { after: Buffer.from(`["\\u0000","\\u0000"]`).toString("base64url") },
          },
        ]) {
          expect((await postRaw(route, JSON.stringify(asked))).status).toBe(200);
        }
      });
    },
  );

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

    test("names a stored one that nobody knows by its number", async () => {
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

    test("finds by the whole id, for the editor looks a stored value up that way", async () => {
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
      const before = portal.traffic.counted;
      await Promise.all(Array.from({ length: 20 }, () => sequences()));
      expect(portal.traffic.counted).toBe(before);
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

  test("say how many senders take turns, and which preset applies by default", async () => {
    const value = (await rotations({ q: "Team 03" })).options[0]?.value ?? "";
    const key = { portalId: BigInt(portal.portalId), rotationId: BigInt(value) };
    await running.db.database.prisma.rotationMember.createMany({
      data: [
        { ...key, userId: 1n },
        { ...key, userId: 2n },
      ],
    });
    expect((await rotations({ q: "Team 03" })).options).toEqual([
      { label: "Team 03", description: "2 senders", value },
    ]);
    expect((await presets({ q: "Team 07" })).options[0]?.description).toContain("names no preset");
    expect((await presets({ q: "Team 08" })).options[0]).not.toHaveProperty("description");
  });

  test("of presets begin with the one that leaves it to the account, found by its words and its value", async () => {
    const first = { label: DEFAULT_PRESET, value: LEFT_TO_PRESET };
    expect((await presets()).options[0]).toEqual(first);
    expect((await allPages(presets)).filter(({ value }) => value === LEFT_TO_PRESET)).toEqual([first]);
    expect((await presets({ q: "default preset" })).options).toEqual([first]);
    expect((await presets({ q: LEFT_TO_PRESET })).options).toEqual([first]);
    expect((await presets({ selected: LEFT_TO_PRESET })).options.slice(0, 2)).toEqual([
      first,
      expect.not.objectContaining({ value: LEFT_TO_PRESET }),
    ]);
  });

  describe("of senders", () => {
    test("offer only those who may send; one who may not keeps the label, and is said to be", async () => {
      const { prisma } = running.db.database;
      const portalId = BigInt(portal.portalId);
      const all = await allPages(senders);
      const [allowed, forbidden] = all;
      if (allowed === undefined || forbidden === undefined) throw new Error("too few senders");
      const mark = (value: string, isAllowed: boolean) => ({
        ...{ portalId, userId: BigInt(value), windowDays: [], isAllowed },
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

    test("name a stored person that nobody knows by the number", async () => {
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
