import { afterAll, beforeAll } from "@jest/globals";
import { startBulkJob } from "#domain/history/bulk-jobs.js";
import { createImport } from "#domain/imports/create-import.js";
import { openFile } from "#domain/imports/file/read-rows.js";
import { createKey } from "#domain/keys/change-keys.js";
import { addWebhook } from "#domain/subscriptions/change-webhooks.js";
import { createCipher } from "#domain/vault/cipher.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { createRotation } from "#domain/policy/rotation-store.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { createBrowser, hiddenField, type Browser } from "./browser.js";
import { seedExecutions } from "./executions.js";
import {
  settingsRoutes,
  type FormCall,
  type ReadCall,
  type RouteCall,
  type RouteIds,
  type TabCall,
} from "./settings-routes.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "./start-app.js";
import { adminOf } from "./actors.js";

/** In every name of the first account, so that a look for it finds whatever shows of that account. */
export const SECRET = "of-the-first-account";

export let running: RunningApp;

export let portal: SimulatedPortal;

export let other: SimulatedPortal;

/** Whose names are secret, who was let in by an admin, and who was not. */
export let sender: bigint;

export let letIn: bigint;

export let unlisted: number;

/** Whom an admin let in to look. */
export let viewer: number;

export let job: bigint;

let keyPrefix: string;

let webhook: bigint;

let delivery: bigint;
let importId: bigint;

export const prisma = () => running.db.database.prisma;

export const firstAccount = () => BigInt(portal.portalId);

export async function fillFirstAccount(): Promise<void> {
  const portalId = firstAccount();
  await addPeople(portalId);
  await seedExecutions(running.db.database, executionSeeds(portalId));
  await prisma().sequence.create({ data: { portalId, sequenceId: "31", name: SECRET, isListed: true } });
  await prisma().actionType.create({ data: { definitionId: "170012345", version: 4, kind: "ENROLL" } });
  const flow = { portalId, flowId: "4711", name: SECRET };
  await prisma().flow.create({ data: { ...flow, isEnabled: true, isListed: true, revisionId: "1" } });
  const made = {
    ...flow,
    requestKey: "made",
    recipe: "FORM",
    definition: {},
    state: "MADE",
    revisionId: "1",
  };
  await prisma().madeFlow.create({ data: { ...made, madeByEmail: `${SECRET}@y.example` } });
  await prisma().portal.update({ where: { portalId }, data: { directoryError: SECRET } });
  await prisma().portalSettings.create({
    data: {
      portalId,
      defaultSenderUserId: sender,
      pausedAt: new Date(),
      alertEmail: `${SECRET}@z.example`,
      alertWebhookUrl: `https://${SECRET}.example`,
    },
  });
  const refusal = { refusedCode: "INBOX_NOT_CONNECTED", refusedMessage: SECRET, refusedAt: new Date() };
  await prisma().senderSettings.create({
    data: { portalId, userId: sender, ...refusal, windowDays: [], isAllowed: true },
  });
  const admin = adminOf(portalId, { userEmail: `${SECRET}@y.example` });
  const members = [{ userId: sender, weight: 2 }];
  await createRotation(running.db.database, admin, { name: SECRET, keepsSender: true, members });
  const draft = { name: SECRET, policy: INITIAL_POLICY };
  await savePreset(running.db.database, admin, { draft, saved: undefined });
  // Long enough ago for another test to be sent.
  const createdAt = new Date(Date.now() - 3_600_000);
  for (const channel of ["EMAIL", "WEBHOOK"])
    await prisma().alert.create({
      data: { portalId, kind: "TEST", channel, message: SECRET, lastProblem: SECRET, tries: 1, createdAt },
    });
  const bulk = { action: "CANCEL", filter: { search: SECRET } } as const;
  const creation = await startBulkJob(running.db.database.pool, admin, bulk);
  if (creation.kind !== "created") throw new Error(`the job is ${creation.kind}`);
  job = creation.id;
  await prisma().activityView.create({
    data: { portalId: admin.portalId, name: SECRET, query: { status: "failed", kind: "ENROLL" } },
  });
  importId = await createImport(running.db.database.pool, admin, {
    name: SECRET,
    file: await openFile(bytesOf(`Email,Note\n151@x.example,${SECRET}\n`)),
    inCommit: (_client, id) => Promise.resolve(id),
  });
  const key = await createKey(running.db.database.pool, admin, {
    name: SECRET,
    scopes: ["enrollments:read"],
    expiresAt: undefined,
  });
  if (key.kind !== "created") throw new Error(`the key is ${key.kind}`);
  keyPrefix = key.prefix;
  await addWebhookTo(admin);
}

/** A webhook with a message that was delivered. */
async function addWebhookTo(admin: ReturnType<typeof adminOf>): Promise<void> {
  const { pool } = running.db.database;
  const cipher = createCipher(running.config.encryptionKeys);
  const setup = { pool, cipher, privateDestinations: new Set<string>() };
  const added = await addWebhook(setup, admin, {
    url: `https://${SECRET}.example/hook`,
    events: ["portal.disconnected"],
    description: SECRET,
  });
  if (added.kind !== "added") throw new Error(`the webhook is ${added.kind}`);
  webhook = added.webhook.id;
  const sent = await prisma().webhookDelivery.create({
    data: {
      ...{
        portalId: admin.portalId,
        subscriptionId: webhook,
        type: "portal.disconnected",
        orderKey: "portal",
      },
      ...{ state: "DELIVERED", tries: 1, triedAt: new Date(), httpStatus: 200, answer: SECRET },
    },
  });
  delivery = sent.id;
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}

export async function addPeople(portalId: bigint): Promise<void> {
  const person = (userId: bigint, firstName: string, superAdmin = false) => ({
    portalId,
    userId,
    firstName,
    superAdmin,
    email: `${firstName}@y.example`,
    seatNames: [],
    isListed: true,
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
  await prisma().portalViewer.create({ data: { portalId, userId: BigInt(viewer) } });
}

export function executionSeeds(portalId: bigint) {
  const named = {
    portalId,
    contactEmail: `${SECRET}@x.example`,
    workflowId: "99",
    sequenceId: "31",
    sequenceName: SECRET,
    senderUserId: sender,
    senderEmail: `${SECRET}@y.example`,
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
export async function idsNow(): Promise<RouteIds> {
  const portalId = firstAccount();
  const where = { portalId };
  const byContact = async (contactId: string) =>
    (await prisma().execution.findFirstOrThrow({ where: { ...where, contactId }, orderBy: { id: "asc" } }))
      .id;
  const settings = await prisma().portalSettings.findUniqueOrThrow({ where });
  const senderRow = await prisma().senderSettings.findFirst({ where });
  const rotation = await prisma().rotation.findFirst({ where, orderBy: { rotationId: "asc" } });
  const madeFlow = await prisma().madeFlow.findFirst({ where: { ...where, requestKey: "made" } });
  const preset = await prisma().preset.findFirst({ where, orderBy: { presetId: "asc" } });
  const stored = await prisma().webhookSubscription.findFirst({ where: { ...where, id: webhook } });
  const view = await prisma().activityView.findFirst({ where });
  const storedImport = await prisma().import.findFirst({ where: { ...where, id: importId } });
  return {
    portalId,
    webhook,
    delivery,
    webhookVersion: stored?.version ?? 0,
    sender,
    letIn,
    viewer: BigInt(viewer),
    job,
    view: view?.id ?? 0n,
    keyPrefix,
    importId,
    importVersion: storedImport?.version ?? 0,
    settingsVersion: settings.version,
    alertAddress: settings.alertEmail ?? "",
    failed: await byContact("151"),
    queued: await byContact("152"),
    later: await byContact("153"),
    senderVersion: senderRow?.version ?? 0,
    rotation: rotation?.rotationId ?? 0n,
    rotationVersion: rotation?.version ?? 0,
    preset: preset?.presetId ?? 0n,
    presetVersion: preset?.version ?? 0,
    madeFlow: madeFlow?.id ?? 0n,
  };
}

/** Every row of every table that belongs to accounts: of one, or of all. */
export async function rowsOf(portalId: bigint | null): Promise<Record<string, unknown>> {
  const { pool } = running.db.database;
  everyRow ??= await everyRowStatement();
  // Prepared: it is asked a thousand times, and takes longer to plan than to run.
  const { rows } = await pool.query<{ all: Record<string, unknown> }>({
    name: "every-row",
    text: everyRow,
    values: [portalId],
  });
  return rows[0]?.all ?? {};
}

let everyRow: string | undefined;

async function everyRowStatement(): Promise<string> {
  const { rows: tables } = await running.db.database.pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'portal_id' ORDER BY 1`,
  );
  const parts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, (SELECT jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text)
         FROM "${name}" t WHERE $1::bigint IS NULL OR portal_id = $1) AS rows`,
  );
  return `SELECT jsonb_object_agg(name, rows) AS all FROM (${parts.join(" UNION ALL ")}) AS parts`;
}

/** Entries in the account's audit that name its admin. */
export const auditedActs = (): Promise<number> =>
  prisma().auditEntry.count({
    where: { portalId: firstAccount(), userId: BigInt(portal.admin.userId) },
  });

/** The first account's rows but for the place in its request window that a question to HubSpot takes. */
export async function decidedRows(): Promise<string> {
  const { portal_drains: _, ...rows } = await rowsOf(firstAccount());
  return JSON.stringify(rows);
}

/** A browser in which a user has signed in by HubSpot. */
export async function signIn(one: SimulatedPortal, userId = one.admin.userId): Promise<Browser> {
  const browser = createBrowser(running.publicUrl);
  const { location } = await browser.get("/settings/sign-in");
  await browser.get(running.simulator.authorize(location ?? "", { portalId: one.portalId, userId }));
  return browser;
}

export const tokenOf = async (browser: Browser): Promise<string> =>
  hiddenField((await browser.get("/settings")).text, "form_token");

export type CallOf<Kind> = Extract<RouteCall, { kind: Kind }>;

export async function callsOf<Kind extends RouteCall["kind"]>(...kinds: Kind[]): Promise<CallOf<Kind>[]> {
  const calls = Object.values(settingsRoutes(await idsNow())).flat();
  return calls.filter((call): call is CallOf<Kind> => (kinds as string[]).includes(call.kind));
}

export const reads = (): Promise<ReadCall[]> => callsOf("page", "part");

export const forms = (): Promise<FormCall[]> => callsOf("form");

export function postForm(browser: Browser, { path, fields, file }: FormCall, token?: string) {
  const all = token === undefined ? fields : [...fields, ["form_token", token]];
  return file === undefined ? browser.post(path, all) : browser.upload(path, all, file);
}

/** The tab's calls by their routes: the method is in the route's name. */
export async function tabCalls(): Promise<[method: "GET" | "PUT" | "POST", call: TabCall][]> {
  return Object.entries(settingsRoutes(await idsNow())).flatMap(([route, calls]) =>
    calls
      .filter((call) => call.kind === "tab")
      .map((call): ["GET" | "PUT" | "POST", TabCall] => [
        route.split(" ")[0] as "GET" | "PUT" | "POST",
        call,
      ]),
  );
}

export type Signed = NonNullable<Parameters<SimulatedPortal["hubspotFetch"]>[1]>;

export function ask(
  from: SimulatedPortal,
  [method, { path, body }]: [Exclude<Signed["method"], undefined>, TabCall],
  signed: Signed = {},
) {
  const request = { method, ...(body === undefined ? {} : { body }), ...signed };
  return from.hubspotFetch(running.publicUrl + path, request);
}

/** Where the answers go to, without the address of the app. */
export const pathOf = (location: string | undefined) => location?.replace(running.publicUrl, "");

/** An app with two accounts, the first of them filled with all that it can have. */
export function useTwoAccounts(): void {
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
    viewer = portal.addUser({ canInstallApps: true }).userId;
    await fillFirstAccount();
  });

  afterAll(() => running.close());
}
