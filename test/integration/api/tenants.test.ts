import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { createRotation } from "#domain/policy/rotation-store.js";
import { adminOf } from "../../support/actors.js";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { operationsOf, type ContractOperation } from "../../support/api-contract.js";
import { seedExecutions } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";

/** In every name of the first account, and in no other's. */
const SECRET = "of-the-first-account";
/** Ids of the first account that no other one has. */
const IDS = { sequence: "5151515151", contact: "151151151", workflow: "9191919191" };
const NOWHERE = "424242424242";

let site: Site;
let [portalId, otherId] = [0n, 0n];
let stranger: ApiClient;
let own: ApiClient;
let operations: ContractOperation[];
let [presetId, rotationId, senderId, importId] = ["", "", "", ""];

beforeAll(async () => {
  site = await startSite();
  [portalId, otherId] = [await connect(), await connect()];
  [own, stranger] = [await clientOf(portalId), await clientOf(otherId)];
  operations = operationsOf((await stranger.get("/api/v1/openapi.json")).body);
  await fillFirstAccount();
});

afterAll(() => site.close());

async function connect(): Promise<bigint> {
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  return BigInt(portal.portalId);
}

const clientOf = async (id: bigint): Promise<ApiClient> =>
  createApiClient(site.url, await giveKey(site.database, id));

async function fillFirstAccount(): Promise<void> {
  const { database } = site;
  const admin = adminOf(portalId);
  const names = {
    sequenceId: IDS.sequence,
    sequenceName: SECRET,
    workflowId: IDS.workflow,
    reference: SECRET,
  };
  await seedExecutions(database, [
    {
      portalId,
      contactId: IDS.contact,
      contactEmail: `${SECRET}@lead.example`,
      enrollmentStatus: "ENROLLED",
      ...names,
    },
  ]);
  await database.prisma.sequence.create({
    data: { portalId, sequenceId: IDS.sequence, name: SECRET, isListed: true },
  });
  senderId = "770077007700";
  await database.prisma.user.create({
    data: {
      ...{ portalId, userId: BigInt(senderId), firstName: SECRET, email: `${SECRET}@acme.example` },
      ...{ superAdmin: false, seatNames: [], isListed: true },
    },
  });
  await savePreset(database, admin, { draft: { name: SECRET, policy: INITIAL_POLICY }, saved: undefined });
  const members = [{ userId: BigInt(senderId), weight: 1 }];
  await createRotation(database, admin, { name: SECRET, keepsSender: false, members });
  [presetId, rotationId] = [
    String((await database.prisma.preset.findFirstOrThrow({ where: { portalId } })).presetId),
    String((await database.prisma.rotation.findFirstOrThrow({ where: { portalId } })).rotationId),
  ];
  const file = { body: `email\n${SECRET}@lead.example\n`, headers: { "Content-Type": "text/csv" } };
  importId = String((await own.ask("POST", `/api/v1/imports?name=${SECRET}`, file)).body.id);
  await own.post("/api/v1/webhook-subscriptions", {
    url: `https://${SECRET}.example/`,
    events: ["enrollment.ended"],
  });
}

/** Whatever a list can be narrowed by, with what only the first account has. */
const FILTERS = (): Readonly<Record<string, string>> => ({
  ...{
    contactId: IDS.contact,
    email: `${SECRET}@lead.example`,
    sequenceId: IDS.sequence,
    senderUserId: senderId,
  },
  ...{ workflowId: IDS.workflow, importId, reference: SECRET, name: SECRET },
});

test("no list shows another account's rows, whatever narrows it; the account's own key finds them there", async () => {
  const lists = operations.filter(({ method, path }) => method === "GET" && !path.includes("{"));
  let found = 0;
  for (const { path, parameters } of lists) {
    const named = parameters.filter(({ name }) => FILTERS()[name] !== undefined).map(({ name }) => name);
    for (const query of ["", ...named.map((name) => `?${name}=${FILTERS()[name]}`)]) {
      const address = `/api/v1${path}${query}`;
      const { status, text } = await stranger.get(address);
      expect([address, status, text.includes(SECRET)]).toEqual([address, 200, false]);
      if ((await own.get(address)).text.includes(SECRET)) found += 1;
    }
  }
  expect(lists.length).toBeGreaterThan(5);
  expect(found).toBeGreaterThan(8);
});

test("what a path names of another account is shown to its own key alone", async () => {
  const { pool } = site.database;
  const idIn = async (table: string): Promise<string> =>
    (await pool.query<{ id: string }>(`SELECT id FROM ${table} WHERE portal_id = $1`, [portalId])).rows[0]
      ?.id ?? "";
  const ids: Readonly<Record<string, string>> = {
    ...{ contacts: IDS.contact, sequences: IDS.sequence, imports: importId },
    enrollments: await idIn("executions"),
    "webhook-subscriptions": await idIn("webhook_subscriptions"),
  };
  const named = operations.filter(({ method, path }) => method === "GET" && path.includes("{"));
  let found = 0;
  for (const { path } of named) {
    const id = ids[path.split("/")[1] ?? ""] ?? "1";
    const address = `/api/v1${path.replaceAll(/\{\w+\}/g, id)}`;
    expect([address, (await stranger.get(address)).text.includes(SECRET)]).toEqual([address, false]);
    if ((await own.get(address)).text.includes(SECRET)) found += 1;
  }
  expect(found).toBeGreaterThan(3);
});

test("what a body names of another account is refused just like what nobody has, and nothing is stored", async () => {
  const usual = { contact: { email: "ada@lead.example" }, sequence: { id: IDS.sequence } };
  await site.database.prisma.sequence.create({
    data: { portalId: otherId, sequenceId: "77", name: "Theirs", isListed: true },
  });
  const mine = { ...usual, sequence: { id: "77" } };
  const pairs: readonly (readonly [foreign: object, unknown: object])[] = [
    [usual, { ...usual, sequence: { id: NOWHERE } }],
    [
      { ...usual, sequence: { name: SECRET } },
      { ...usual, sequence: { name: "Nowhere" } },
    ],
    [
      { ...mine, presetId },
      { ...mine, presetId: NOWHERE },
    ],
    [
      { ...mine, sender: { mode: "rotation", rotationId } },
      { ...mine, sender: { mode: "rotation", rotationId: NOWHERE } },
    ],
    [
      { ...mine, sender: { mode: "specific_user", email: `${SECRET}@acme.example` } },
      { ...mine, sender: { mode: "specific_user", email: "nobody@acme.example" } },
    ],
  ];
  for (const [foreign, unknown] of pairs) {
    const [one, other] = [
      await stranger.post("/api/v1/enrollments", foreign),
      await stranger.post("/api/v1/enrollments", unknown),
    ];
    expect([foreign, one.status]).toEqual([foreign, 422]);
    expect({ ...one.body, requestId: "" }).toEqual({ ...other.body, requestId: "" });
  }
  expect(await site.database.prisma.execution.count({ where: { portalId: otherId } })).toBe(0);
});

test("what is changed with another account's key changes nothing of the first one", async () => {
  const before = await rowsOfFirst();
  const write = operations.filter(({ method }) => method !== "GET");
  for (const { method, path } of write) {
    const address = `/api/v1${path.replaceAll(/\{\w+\}/g, path.startsWith("/imports") ? importId : "1")}`;
    await stranger.ask(method, address, { body: {} });
  }
  expect(await rowsOfFirst()).toEqual(before);
});

/** Every row of every table that is the first account's, but for what notes the use of its own key. */
async function rowsOfFirst(): Promise<unknown> {
  const { pool } = site.database;
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'portal_id' AND table_name <> 'api_keys' ORDER BY 1`,
  );
  const parts = tables.map(
    ({ name }) => `SELECT '${name}' AS name, (SELECT jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text)
                     FROM "${name}" t WHERE portal_id = $1) AS rows`,
  );
  return (
    await pool.query(`SELECT jsonb_object_agg(name, rows) AS all FROM (${parts.join(" UNION ALL ")}) AS p`, [
      portalId,
    ])
  ).rows;
}
