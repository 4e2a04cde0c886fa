import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { revokeKey } from "#domain/keys/change-keys.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { adminOf } from "../../support/actors.js";
import { createApiClient, giveKey, type ApiAnswer } from "../../support/api-client.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let portalId: bigint;
let otherId: bigint;

beforeAll(async () => {
  site = await startSite();
  [portalId, otherId] = [await connect(), await connect()];
  for (const [id, name] of [
    [portalId, "Inbound"],
    [otherId, "Theirs"],
  ] as const)
    await savePreset(site.database, adminOf(id), {
      draft: { name, policy: INITIAL_POLICY },
      saved: undefined,
    });
});

afterAll(() => site.close());

async function connect(): Promise<bigint> {
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  return BigInt(portal.portalId);
}

const clientOf = async (id: bigint, draft: Parameters<typeof giveKey>[2] = {}) =>
  createApiClient(site.url, await giveKey(site.database, id, draft));

/** The problem form, with the headers that every answer of the API has. */
function expectProblem({ status, headers, body }: ApiAnswer, expected: { status: number; code: string }) {
  expect({ status, code: body?.code }).toEqual(expected);
  expect(headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(body).toEqual({
    type: `${site.url}/api/docs/errors#${expected.code}`,
    title: expect.stringMatching(/^[A-Z][a-z ]+$/),
    status: expected.status,
    detail: expect.stringMatching(/\.$/),
    code: expected.code,
    requestId: headers.get("x-request-id"),
    ...(body.errors && { errors: expect.any(Array) }),
  });
}

describe("a key", () => {
  test("reads what is its own account's, whatever the request names", async () => {
    const mine = await (await clientOf(portalId)).get("/api/v1/presets");
    expect([mine.status, mine.body]).toEqual([
      200,
      { results: [{ id: expect.any(String), name: "Inbound" }] },
    ]);
    const theirs = await (await clientOf(otherId)).get("/api/v1/presets");
    expect(theirs.body.results.map(({ name }: { name: string }) => name)).toEqual(["Theirs"]);
    const named = await (await clientOf(otherId)).get(`/api/v1/presets?portalId=${portalId}`);
    expectProblem(named, { status: 400, code: "INVALID_REQUEST" });
  });

  test.each([
    ["is missing", undefined],
    ["has another form", "pat-eu1-1234"],
    ["is unknown", `sqe_AAAAAAAA_${"a".repeat(43)}`],
  ])("that %s gets 401", async (_what, key) => {
    const answer = await createApiClient(site.url, key).get("/api/v1/presets");
    expectProblem(answer, { status: 401, code: "UNAUTHENTICATED" });
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  });

  test("with the prefix of another and its own secret gets 401", async () => {
    const [key, stranger] = [await giveKey(site.database, portalId), await giveKey(site.database, otherId)];
    const mixed = `${key.slice(0, 13)}${stranger.slice(13)}`;
    expectProblem(await createApiClient(site.url, mixed).get("/api/v1/presets"), {
      status: 401,
      code: "UNAUTHENTICATED",
    });
  });

  test("has 256 random bits, and what is stored of it is their hash alone", async () => {
    const keys = await Promise.all([1, 2, 3].map(() => giveKey(site.database, portalId)));
    const secrets = keys.map((key) => key.slice(13));
    expect(new Set(secrets).size).toBe(keys.length);
    for (const [index, secret] of secrets.entries()) {
      const bytes = Buffer.from(secret, "base64url");
      expect(bytes).toHaveLength(32);
      const { rows } = await site.database.pool.query<{ secret_hash: Buffer; row: string }>(
        `SELECT secret_hash, k::text AS row FROM api_keys k WHERE prefix = $1`,
        [keys[index]?.slice(4, 12)],
      );
      expect(rows.map(({ secret_hash: hash }) => hash)).toEqual([
        createHash("sha256").update(secret).digest(),
      ]);
      for (const form of [secret, Buffer.from(secret).toString("hex"), bytes.toString("hex")])
        expect(rows[0]?.row).not.toContain(form);
    }
  });

  test("without the scope gets 403", async () => {
    const client = await clientOf(portalId, { scopes: ["enrollments:write"] });
    expectProblem(await client.get("/api/v1/presets"), { status: 403, code: "FORBIDDEN" });
  });

  test("of an account that is not connected gets 409", async () => {
    const left = await connect();
    const client = await clientOf(left);
    await site.database.prisma.portal.update({
      where: { portalId: left },
      data: { status: "DISCONNECTED" },
    });
    expectProblem(await client.get("/api/v1/presets"), { status: 409, code: "NOT_CONNECTED" });
  });

  test("is refused within five seconds of its revocation, and of its expiry", async () => {
    const key = await giveKey(site.database, portalId);
    const expiring = await clientOf(portalId, { expiresAt: new Date(Date.now() + 1_500) });
    const client = createApiClient(site.url, key);
    expect((await client.get("/api/v1/presets")).status).toBe(200);
    expect((await expiring.get("/api/v1/presets")).status).toBe(200);
    expect(await revokeKey(site.database.pool, adminOf(portalId), key.slice(4, 12))).toBe(true);
    const revokedMs = Date.now();
    while ((await client.get("/api/v1/presets")).status === 200)
      expect(Date.now() - revokedMs).toBeLessThan(5_000);
    expect((await expiring.get("/api/v1/presets")).status).toBe(401);
  });
});

describe("a request that is not understood", () => {
  test("is answered as a problem where there is nothing, or not with this method", async () => {
    const client = await clientOf(portalId);
    for (const path of ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/presets/", "/api/v1/Presets"])
      expectProblem(await client.get(path), { status: 404, code: "NOT_FOUND" });
    const answer = await client.ask("PUT", "/api/v1/presets", { body: {} });
    expectProblem(answer, { status: 405, code: "INVALID_REQUEST" });
    expect(answer.headers.get("allow")).toBe("GET, HEAD");
  });

  test("is told every parameter that is wrong, by name", async () => {
    const answer = await (await clientOf(portalId)).get("/api/v1/presets?first=1&second=%00");
    expectProblem(answer, { status: 400, code: "INVALID_REQUEST" });
    expect(answer.body.errors.map(({ parameter }: { parameter: string }) => parameter)).toContain("second");
  });

  test("is a problem too if its path cannot be decoded", async () => {
    const { status } = await (await clientOf(portalId)).get("/api/v1/%ff");
    expect([400, 404]).toContain(status);
  });
});

test("a key is noted in no log line, and its use about once a minute", async () => {
  const key = await giveKey(site.database, portalId, { name: "Seldom" });
  const client = createApiClient(site.url, key);
  await client.get("/api/v1/presets");
  await client.get("/api/v1/nothing");
  const used = await site.database.prisma.apiKey.findFirst({ where: { prefix: key.slice(4, 12) } });
  expect(used?.lastUsedAt).toBeInstanceOf(Date);
  expect(site.logLines.join("\n")).not.toContain(key.slice(13));
});
