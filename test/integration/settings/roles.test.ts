import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { changeRole, giveAccess, removeAccess } from "#domain/accounts/change-access.js";
import { listMembers } from "#domain/accounts/rights.js";
import { NotAllowed } from "#domain/contract/actor-rights.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { adminOf } from "../../support/actors.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let portal: SimulatedPortal;
let portalId: bigint;
let admin: Browser;
let others: bigint[];

beforeAll(async () => {
  site = await startSite();
  portal = site.simulator.addPortal();
  portalId = BigInt(portal.portalId);
  for (const user of portal.users.values()) user.canInstallApps = true;
  admin = site.browser();
  await install(site, admin, portal.portalId);
  others = [...portal.users.values()]
    .filter(({ superAdmin, active }) => !superAdmin && active)
    .map(({ userId }) => BigInt(userId));
});

afterAll(() => site.close());

beforeEach(async () => {
  const { prisma } = site.database;
  await prisma.portalAdmin.deleteMany();
  await prisma.portalViewer.deleteMany();
  await prisma.auditEntry.deleteMany();
  const user = (userId: bigint, superAdmin: boolean) => ({ portalId, userId, superAdmin, seatNames: [] });
  await prisma.user.deleteMany();
  await prisma.user.createMany({
    data: [
      { ...user(BigInt(portal.admin.userId), true), isListed: true, firstName: "Zoe" },
      ...others.map((userId) => ({ ...user(userId, false), isListed: true, firstName: `Ned ${userId}` })),
    ],
  });
});

async function signIn(userId: bigint): Promise<Browser> {
  const browser = site.browser();
  const start = await browser.get("/settings/sign-in");
  const asUser = { portalId: portal.portalId, userId: Number(userId) };
  await browser.get(site.simulator.authorize(start.location ?? "", asUser));
  return browser;
}

async function send(path: string, fields: Record<string, string>) {
  const page = await admin.get("/settings/access");
  await admin.post(path, { form_token: hiddenField(page.text, "form_token"), ...fields });
  return (await admin.get("/settings/access")).text;
}

const rolesOf = async () =>
  Object.fromEntries(
    (await listMembers(site.database.pool, portalId)).map(({ userId, role }) => [String(userId), role]),
  );

test("an admin lets somebody in as a viewer, makes them an admin and a viewer again, and each is told and noted", async () => {
  const [ned = 0n] = others;
  const user_id = String(ned);
  const given = await send("/settings/access/let-in", { user_id, role: "viewer" });
  expect(given).toContain("now has access as a viewer.");
  const browser = await signIn(ned);
  expect((await browser.get("/settings/danger")).text).toContain("You have view-only access");
  expect(await send("/settings/access/role", { user_id, role: "admin" })).toContain("is an admin now.");
  expect((await browser.get("/settings/danger")).text).not.toContain("You have view-only access");
  expect(await send("/settings/access/role", { user_id, role: "viewer" })).toContain("is a viewer now.");
  expect((await browser.get("/settings/danger")).text).toContain("You have view-only access");
  await send("/settings/access/take-out", { user_id });
  expect((await browser.get("/settings")).status).toBe(403);
  const entries = await site.database.prisma.auditEntry.findMany({
    where: { subject: "access" },
    orderBy: { id: "asc" },
  });
  expect(entries.map(({ action, before, after }) => [action, before, after])).toEqual([
    ["LET_IN", null, { userId: user_id, role: "viewer" }],
    ["CHANGED", { userId: user_id, role: "viewer" }, { userId: user_id, role: "admin" }],
    ["CHANGED", { userId: user_id, role: "admin" }, { userId: user_id, role: "viewer" }],
    ["TAKEN_OUT", { userId: user_id, role: "viewer" }, null],
  ]);
});

test("a viewer cannot make themselves an admin, and neither can a super admin be made a viewer", async () => {
  const [ned = 0n] = others;
  await site.database.prisma.portalViewer.create({ data: { portalId, userId: ned } });
  const browser = await signIn(ned);
  const form_token = hiddenField((await browser.get("/settings/access")).text, "form_token");
  const answer = await browser.post("/settings/access/role", {
    form_token,
    user_id: String(ned),
    role: "admin",
  });
  expect(answer.status).toBe(403);
  await expect(
    changeRole(
      site.database.pool,
      { ...adminOf(portalId, { userId: ned }), kind: "viewer" },
      { userId: ned, label: "Ned", role: "admin" },
    ),
  ).rejects.toBeInstanceOf(NotAllowed);
  const zoe = String(portal.admin.userId);
  const [, colleague = 0n] = others;
  await site.database.prisma.portalAdmin.create({ data: { portalId, userId: colleague } });
  const other = await signIn(colleague);
  const token = hiddenField((await other.get("/settings/access")).text, "form_token");
  await other.post("/settings/access/role", { form_token: token, user_id: zoe, role: "viewer" });
  expect(await rolesOf()).toEqual({ [zoe]: "admin", [String(colleague)]: "admin", [String(ned)]: "viewer" });
});

test("a viewer sees the same pages, and is led to no form that only an admin can use", async () => {
  const [ned = 0n] = others;
  await site.database.pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, sequence_id, request, enrollment_status, error_code, decided_at, completed_at)
     VALUES ($1, 'ap-viewer', 'ENROLL', 'COMPLETED', now() + interval '6 days', '77', '5', '{"senderMode": "contact_owner"}', 'FAILED', 'INBOX_NOT_CONNECTED', now(), now())`,
    [portalId],
  );
  await send("/settings/access/let-in", { user_id: String(ned), role: "viewer" });
  const viewer = await signIn(ned);
  const pages = [
    "",
    "/activity",
    "/rotations",
    "/presets",
    "/workflows",
    "/webhooks",
    "/senders?show=troubled",
  ];
  const formsOf = async (browser: Browser) => {
    const texts = await Promise.all(pages.map(async (path) => (await browser.get(`/settings${path}`)).text));
    const addresses = texts.flatMap((text) =>
      [...text.matchAll(/href="([^"]+)"/g)].map(([, href]) => href ?? ""),
    );
    return addresses.filter((href) => /\/new$|\/bulk\?|\/policy#/.test(href));
  };
  expect(await formsOf(admin)).toEqual(
    expect.arrayContaining(["/settings/rotations/new", "/settings/presets/new", "/settings/workflows/new"]),
  );
  expect((await admin.get("/settings/activity")).text).toContain("/settings/activity/bulk?");
  expect(await formsOf(viewer)).toEqual([]);
  expect((await viewer.get("/settings/presets")).text).toContain("Ask an admin");
});

test("a viewer who signs in to an account that is gone from HubSpot cannot bring it back, and is told whom to ask", async () => {
  const [ned = 0n] = others;
  await site.database.prisma.portalViewer.create({ data: { portalId, userId: ned } });
  const browser = await signIn(ned);
  await site.database.prisma.portal.update({ where: { portalId }, data: { status: "DISCONNECTED" } });
  try {
    const page = await browser.get("/settings");
    expect([page.status, page.text.includes("Only an admin can")]).toEqual([403, true]);
    expect(page.text).not.toMatch(/\/oauth\/install|\/settings\/reconnect/);
  } finally {
    await site.database.prisma.portal.update({ where: { portalId }, data: { status: "CONNECTED" } });
  }
});

test("of two admins who take each other's rights away at the same time, one stays an admin", async () => {
  const [ned = 0n, nel = 0n] = others;
  const { pool, prisma } = site.database;
  await prisma.user.updateMany({ data: { superAdmin: false } });
  for (const change of [
    (actor: bigint, target: bigint) =>
      changeRole(pool, adminOf(portalId, { userId: actor }), { userId: target, label: "x", role: "viewer" }),
    (actor: bigint, target: bigint) =>
      removeAccess(pool, adminOf(portalId, { userId: actor }), { userId: target, label: "x" }),
  ]) {
    await prisma.portalViewer.deleteMany();
    await prisma.portalAdmin.deleteMany();
    await prisma.portalAdmin.createMany({ data: [ned, nel].map((userId) => ({ portalId, userId })) });
    const ends = await Promise.allSettled([change(ned, nel), change(nel, ned)]);
    expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(Object.values(await rolesOf()).filter((role) => role === "admin")).toHaveLength(1);
  }
});

test("the only admin stays one, whoever asks for it", async () => {
  const [ned = 0n] = others;
  const { pool, prisma } = site.database;
  await prisma.user.updateMany({ data: { superAdmin: false } });
  await prisma.portalAdmin.create({ data: { portalId, userId: ned } });
  const operator = { kind: "system", portalId, part: "operator" } as const;
  const person = { userId: ned, label: "Ned" };
  expect(await removeAccess(pool, operator, person)).toBe("last-admin");
  expect(await changeRole(pool, operator, { ...person, role: "viewer" })).toBe("last-admin");
  expect(await giveAccess(pool, operator, { ...person, role: "viewer" })).toBe(false);
  expect(await rolesOf()).toEqual({ [String(ned)]: "admin" });
});
