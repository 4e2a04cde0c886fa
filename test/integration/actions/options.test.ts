import { describe, expect, test } from "@jest/globals";
import {
  LEFT_TO_PRESET,
  PRESET_OPTIONS_ROUTE,
  ROTATION_OPTIONS_ROUTE,
  SENDER_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import {
  DEFAULT_PRESET,
  running,
  portal,
  sequences,
  rotations,
  presets,
  allPages,
  labels,
  postRaw,
  useOptionsStage,
} from "../../support/options-stage.js";

useOptionsStage();

describe("the dropdowns of the workflow editor", () => {
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

  test("a long search uses only its beginning, and a long value matches nothing in the list", async () => {
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

      test("treats malformed fields as absent: the list is that of a plain request", async () => {
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

      test("reads a number as its text", async () => {
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

      test("treats a cursor it did not make as none", async () => {
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
          const answer = await postRaw(route, JSON.stringify(asked));
          expect([answer.status, JSON.parse(answer.text)]).toEqual([
            200,
            expect.objectContaining({ options: expect.any(Array) }),
          ]);
        }
      });
    },
  );

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
});
