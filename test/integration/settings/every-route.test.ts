import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createBulkJob } from "#domain/history/bulk-jobs.js";
import { Closers, createFoundation } from "../../../src/compose/foundation.js";
import { createLogger } from "#platform/observability/logger.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { createRotation } from "#domain/policy/rotation-store.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createHttp } from "../../../src/compose/web.js";
import { createBrowser, hiddenField, type Browser } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { routesOf } from "../../support/routes.js";
import {
  settingsRoutes,
  type FormCall,
  type ReadCall,
  type RouteCall,
  type RouteIds,
  type TabCall,
} from "../../support/settings-routes.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/** In every name of the first account, so that a look for it finds whatever shows of that account. */
const SECRET = "of-the-first-account";

let running: RunningApp;
let portal: SimulatedPortal;
let other: SimulatedPortal;
/** Whose names are secret, who was let in by an admin, and who was not. */
let sender: bigint;
let letIn: bigint;
let unlisted: number;
let job: bigint;

beforeAll(async () => {
  // Without a worker: what is stored stays as it is, but for what the calls change.
  running = await startRunningApp({ environment: { ROLE: "web" } });
  portal = addPlainPortal(running.simulator);
  other = addPlainPortal(running.simulator);
  for (const one of [portal, other]) await running.install(one);
  const [first = 0, second = 0, third = 0] = [...portal.users.values()]
    .filter(({ superAdmin, active }) => !superAdmin && active)
    .map((user) => {
      user.canInstallApps = true;
      return user.userId;
    });
  [sender, letIn, unlisted] = [BigInt(first), BigInt(second), third];
  await fillFirstAccount();
});

afterAll(() => running.close());

const prisma = () => running.db.database.prisma;
const firstAccount = () => BigInt(portal.portalId);

async function fillFirstAccount(): Promise<void> {
  const portalId = firstAccount();
  await addPeople(portalId);
  await seedExecutions(running.db.database, executionSeeds(portalId));
  await prisma().sequence.create({ data: { portalId, sequenceId: "31", name: SECRET, isListed: true } });
  await prisma().portal.update({ where: { portalId }, data: { directoryError: SECRET } });
  await prisma().portalSettings.create({
    data: {
      ...{ portalId, defaultSenderUserId: sender, pausedAt: new Date() },
      ...{ alertEmail: `${SECRET}@z.example`, alertWebhookUrl: `https://${SECRET}.example` },
    },
  });
  const refusal = { refusedCode: "INBOX_NOT_CONNECTED", refusedMessage: SECRET, refusedAt: new Date() };
  await prisma().senderSettings.create({ data: { portalId, userId: sender, ...refusal, windowDays: [] } });
  const by = { userId: null, userEmail: `${SECRET}@y.example` };
  const members = [{ userId: sender, weight: 2 }];
  await createRotation(running.db.database, portalId, {
    draft: { name: SECRET, keepsSender: true, members },
    by,
  });
  await savePreset(running.db.database, portalId, {
    draft: { name: SECRET, policy: INITIAL_POLICY },
    saved: undefined,
    by,
  });
  // Long enough ago for another test to be sent.
  const createdAt = new Date(Date.now() - 3_600_000);
  for (const channel of ["EMAIL", "WEBHOOK"])
    await prisma().alert.create({
      data: { portalId, kind: "TEST", channel, message: SECRET, lastProblem: SECRET, tries: 1, createdAt },
    });
  const client = await running.db.database.pool.connect();
  const bulk = { action: "CANCEL", filter: { search: SECRET }, userId: null, userEmail: SECRET } as const;
  const creation = await createBulkJob(client, portalId, bulk).finally(() => client.release());
  if (creation.kind !== "created") throw new Error(`the job is ${creation.kind}`);
  job = creation.id;
}

async function addPeople(portalId: bigint): Promise<void> {
  const person = (userId: bigint, firstName: string, superAdmin = false) => ({
    ...{ portalId, userId, firstName, superAdmin, email: `${firstName}@y.example` },
    ...{ seatNames: [], isListed: true },
  });
  await prisma().user.createMany({
    data: [
      person(BigInt(portal.admin.userId), "Zoe", true),
      person(sender, SECRET),
      person(letIn, "Nel"),
      person(BigInt(unlisted), "Uli"),
    ],
    // Who installed is known already.
    skipDuplicates: true,
  });
  await prisma().portalAdmin.create({ data: { portalId, userId: letIn } });
}

function executionSeeds(portalId: bigint) {
  const named = {
    ...{ portalId, contactEmail: `${SECRET}@x.example`, workflowId: "99" },
    ...{ sequenceId: "31", sequenceName: SECRET, senderUserId: sender, senderEmail: `${SECRET}@y.example` },
    request: { senderMode: "contact_owner", ifAlreadyEnrolled: "skip" },
  };
  const lost = { errorCode: "BOUNCED", errorMessage: SECRET, lastProblem: SECRET, completionProblem: SECRET };
  return [
    { ...named, enrollmentStatus: "ENROLLED", enrolledAt: new Date() },
    { ...named, ...lost, enrollmentStatus: "FAILED", contactId: "151" },
    { ...named, contactId: "152", lastProblem: SECRET },
    { ...named, contactId: "153", dueAt: new Date(Date.now() + 3_600_000) },
  ];
}

/** What the calls name, with the versions as they are stored now; 0 for what is gone. */
async function idsNow(): Promise<RouteIds> {
  const portalId = firstAccount();
  const where = { portalId };
  const byContact = async (contactId: string) =>
    (await prisma().execution.findFirstOrThrow({ where: { ...where, contactId }, orderBy: { id: "asc" } }))
      .id;
  const settings = await prisma().portalSettings.findUniqueOrThrow({ where });
  const senderRow = await prisma().senderSettings.findFirst({ where });
  const rotation = await prisma().rotation.findFirst({ where, orderBy: { rotationId: "asc" } });
  const preset = await prisma().preset.findFirst({ where, orderBy: { presetId: "asc" } });
  return {
    ...{ portalId, sender, letIn, job, settingsVersion: settings.version },
    alertAddress: settings.alertEmail ?? "",
    failed: await byContact("151"),
    queued: await byContact("152"),
    later: await byContact("153"),
    senderVersion: senderRow?.version ?? 0,
    ...{ rotation: rotation?.rotationId ?? 0n, rotationVersion: rotation?.version ?? 0 },
    ...{ preset: preset?.presetId ?? 0n, presetVersion: preset?.version ?? 0 },
  };
}

/** Every row of every table that belongs to accounts: of one, or of all. */
async function rowsOf(portalId: bigint | null): Promise<Record<string, unknown>> {
  const { pool } = running.db.database;
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'portal_id' ORDER BY 1`,
  );
  const parts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, (SELECT jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text)
         FROM "${name}" t WHERE $1::bigint IS NULL OR portal_id = $1) AS rows`,
  );
  const { rows } = await pool.query<{ all: Record<string, unknown> }>(
    `SELECT jsonb_object_agg(name, rows) AS all FROM (${parts.join(" UNION ALL ")}) AS parts`,
    [portalId],
  );
  return rows[0]?.all ?? {};
}

/** Entries in the account's audit that name its admin. */
const auditedActs = (): Promise<number> =>
  prisma().auditEntry.count({
    where: { portalId: firstAccount(), userId: BigInt(portal.admin.userId) },
  });

/** The first account's rows but for the place in its request window that a question to HubSpot takes. */
async function decidedRows(): Promise<string> {
  const { portal_drains: _, ...rows } = await rowsOf(firstAccount());
  return JSON.stringify(rows);
}

/** A browser in which a user has signed in by HubSpot. */
async function signIn(one: SimulatedPortal, userId = one.admin.userId): Promise<Browser> {
  const browser = createBrowser(running.publicUrl);
  const { location } = await browser.get("/settings/sign-in");
  await browser.get(running.simulator.authorize(location ?? "", { portalId: one.portalId, userId }));
  return browser;
}

const tokenOf = async (browser: Browser): Promise<string> =>
  hiddenField((await browser.get("/settings")).text, "form_token");

type CallOf<Kind> = Extract<RouteCall, { kind: Kind }>;

async function callsOf<Kind extends RouteCall["kind"]>(...kinds: Kind[]): Promise<CallOf<Kind>[]> {
  const calls = Object.values(settingsRoutes(await idsNow())).flat();
  return calls.filter((call): call is CallOf<Kind> => (kinds as string[]).includes(call.kind));
}

const reads = (): Promise<ReadCall[]> => callsOf("page", "part");
const forms = (): Promise<FormCall[]> => callsOf("form");

const postForm = (browser: Browser, { path, fields }: FormCall, token?: string) =>
  browser.post(path, token === undefined ? fields : [...fields, ["form_token", token]]);

/** The tab's calls by their routes: the method is in the route's name. */
async function tabCalls(): Promise<[method: "GET" | "PUT" | "POST", call: TabCall][]> {
  return Object.entries(settingsRoutes(await idsNow())).flatMap(([route, calls]) =>
    calls
      .filter((call) => call.kind === "tab")
      .map((call): ["GET" | "PUT" | "POST", TabCall] => [
        route.split(" ")[0] as "GET" | "PUT" | "POST",
        call,
      ]),
  );
}

type Signed = NonNullable<Parameters<SimulatedPortal["hubspotFetch"]>[1]>;

function ask(
  from: SimulatedPortal,
  [method, { path, body }]: [Exclude<Signed["method"], undefined>, TabCall],
  signed: Signed = {},
) {
  const request = { method, ...(body === undefined ? {} : { body }), ...signed };
  return from.hubspotFetch(running.publicUrl + path, request);
}

/** Where the answers go to, without the address of the app. */
const pathOf = (location: string | undefined) => location?.replace(running.publicUrl, "");

test("every route below /settings and /hubspot/settings is in the table of this test", async () => {
  const closers = new Closers();
  const logger = createLogger({ level: "silent" });
  const { config } = running;
  try {
    const foundation = await createFoundation(
      { config, logger, believeNoneAfterMs: undefined, senderClock: () => new Date() },
      closers,
    );
    closers.add(() => foundation.queue.stop({ graceMs: 1_000 }));
    const http = createHttp(foundation);
    const served = routesOf(http).filter((route) => /^\S+ (?:\/hubspot)?\/settings(?:\/|$)/.test(route));
    const known = Object.keys(settingsRoutes(await idsNow()));
    const unknown = served.filter((route) => !known.includes(route));
    expect(
      unknown.map(
        (route) => `${route}: add it to test/support/settings-routes.ts, with a call that names ids`,
      ),
    ).toEqual([]);
    expect(known.filter((route) => !served.includes(route))).toEqual([]);
  } finally {
    await closers.run(logger);
  }
});

test("the account's own admin meets its names where the table says so, or the looks below would find nothing", async () => {
  const admin = await signIn(portal);
  for (const { path, tells } of await reads()) {
    const { status, text } = await admin.get(path);
    expect([path, status, tells && !text.includes(SECRET)]).toEqual([path, 200, false]);
  }
});

describe("a stranger", () => {
  test("is asked to sign in, sees nothing and changes nothing", async () => {
    const before = await rowsOf(null);
    for (const { path, kind } of await reads()) {
      const { status, text } = await createBrowser(running.publicUrl).get(path);
      const isAsked = kind === "part" ? text === "" : text.includes('href="/settings/sign-in"');
      expect([path, status, isAsked, text.includes(SECRET)]).toEqual([path, 401, true, false]);
    }
    for (const call of await forms()) {
      const { status, location } = await postForm(createBrowser(running.publicUrl), call);
      expect([call.path, status, pathOf(location)]).toEqual([call.path, 303, "/settings"]);
    }
    for (const { path, status } of await callsOf("open")) {
      const answer = await createBrowser(running.publicUrl).get(path);
      expect([path, answer.status, answer.text.includes(SECRET)]).toEqual([path, status, false]);
    }
    expect(await rowsOf(null)).toEqual(before);
  });

  test("is refused by the tab inside HubSpot", async () => {
    const before = await rowsOf(null);
    for (const call of await tabCalls()) {
      const { status, body } = await ask(portal, call, { signing: {} });
      expect([call[1].path, status, body.includes(SECRET)]).toEqual([call[1].path, 401, false]);
    }
    expect(await rowsOf(null)).toEqual(before);
  });
});

describe("another account's admin", () => {
  test("sees nothing of the account, whatever the address names", async () => {
    const admin = await signIn(other);
    for (const call of await reads()) {
      const { status, text } = await admin.get(call.path);
      expect([call.path, status, text.includes(SECRET)]).toEqual([call.path, call.other, false]);
    }
  });

  test("changes nothing of the account with forms of their own", async () => {
    const admin = await signIn(other);
    const token = await tokenOf(admin);
    const before = await rowsOf(firstAccount());
    for (const call of await forms()) {
      const { status, text } = await postForm(admin, call, token);
      expect([call.path, status, text.includes(SECRET)]).toEqual([call.path, call.other, false]);
      expect([call.path, await rowsOf(firstAccount())]).toEqual([call.path, before]);
    }
  });

  test("sees and changes nothing of the account in the tab inside HubSpot", async () => {
    const before = await rowsOf(firstAccount());
    const { body: own } = await other.hubspotFetch(`${running.publicUrl}/hubspot/settings/defaults`);
    const { version } = JSON.parse(own) as { version: string };
    for (const [method, call] of await tabCalls()) {
      // With the version of their own account: nothing but what is named in it keeps the change from being saved.
      const change = call.body === undefined ? call : { ...call, body: { ...call.body, version } };
      const { status, body } = await ask(other, [method, change]);
      expect([call.path, status, body.includes(SECRET)]).toEqual([call.path, call.other, false]);
    }
    expect(await rowsOf(firstAccount())).toEqual(before);
  });
});

describe("a user of the account whom nobody let in", () => {
  test("sees who can let them in, and nothing else", async () => {
    const user = await signIn(portal, unlisted);
    for (const { path, kind } of await reads()) {
      const { status, text } = await user.get(path);
      const isTold = kind === "part" ? text === "" : text.includes("You have no access to these pages");
      const expected = [path, kind === "part" ? 401 : 403, true, false];
      expect([path, status, isTold, text.includes(SECRET)]).toEqual(expected);
    }
  });

  test("changes nothing, though the forms carry their own token", async () => {
    const user = await signIn(portal, unlisted);
    const token = await tokenOf(user);
    const before = await rowsOf(null);
    for (const call of await forms()) {
      const { status, location } = await postForm(user, call, token);
      expect([call.path, status, pathOf(location)]).toEqual([call.path, 303, "/settings"]);
      // That they left is theirs to do, and stands in the audit.
      if (call.path !== "/settings/sign-out")
        expect([call.path, await rowsOf(null)]).toEqual([call.path, before]);
    }
  });

  test("is refused by the tab inside HubSpot", async () => {
    const before = await rowsOf(null);
    for (const call of await tabCalls()) {
      const { status, body } = await ask(portal, call, { userId: unlisted });
      // A portal named beside HubSpot's own is refused before anybody asks who it is.
      const expected = call[1].path.includes("?") ? 400 : 403;
      expect([call[1].path, status, body.includes(SECRET)]).toEqual([call[1].path, expected, false]);
    }
    expect(await rowsOf(null)).toEqual(before);
  });
});

test("a form is refused, and changes nothing, without the token of the very session that sends it", async () => {
  const admin = await signIn(portal);
  const own = await tokenOf(admin);
  const strange = [
    undefined,
    "",
    `${own}x`,
    await tokenOf(await signIn(portal)),
    await tokenOf(await signIn(portal, unlisted)),
    await tokenOf(await signIn(other)),
  ];
  const before = await rowsOf(null);
  for (const call of await forms()) {
    for (const token of strange) {
      const { status, text } = await postForm(admin, call, token);
      const isTold = text.includes("This form is out of date");
      expect([call.path, token, status, isTold]).toEqual([call.path, token, 403, true]);
    }
    // Only the body counts: an address with the token may stand in a log, or come from another site.
    const { status } = await postForm(admin, { ...call, path: `${call.path}?form_token=${own}` });
    expect([call.path, status]).toEqual([call.path, 403]);
    expect([call.path, await rowsOf(null)]).toEqual([call.path, before]);
  }
  expect((await admin.get("/settings")).status).toBe(200);
});

/** The last, as it changes what the others look at: without it, forms that nobody could save would pass them all. */
test("the same forms do change something where the account's own admin sends them, with an entry in the audit", async () => {
  const admin = await signIn(portal);
  const token = await tokenOf(admin);
  const count = (await forms()).length;
  for (let index = 0; index < count; index += 1) {
    // Each save changes a version that a later form has to name.
    const call = (await forms())[index];
    if (call === undefined) throw new Error("the table grew meanwhile");
    const [before, audited] = [await decidedRows(), await auditedActs()];
    const { status } = await postForm(admin, call, token);
    expect([call.path, status]).toEqual([
      call.path,
      call.own ?? (call.changes || call.other === 303 ? 303 : 200),
    ]);
    const isChanged = (await decidedRows()) !== before;
    expect([call.path, isChanged]).toEqual([call.path, call.changes]);
    const isAudited = (await auditedActs()) > audited;
    expect([call.path, isAudited]).toEqual([call.path, call.changes]);
  }
});
