import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import { hiddenField, type Browser, type BrowserAnswer } from "./browser.js";
import { install, letInstallersIn, startSite, type Site, type SiteOptions } from "./site.js";

export const PAGES = [
  "senders",
  "rotations",
  "rotations/new",
  "presets",
  "presets/new",
  "policy",
  "try",
  "audit",
];

export const HOSTILE = `<script>alert("x")</script>\u202e${"x".repeat(10_000)}`;

export let site: Site;

export let browser: Browser;

export let stranger: Browser;

export let portalId: bigint;

export let otherId: bigint;

export async function addUser(
  userId: bigint,
  name: { firstName: string; lastName?: string; email: string },
  of = portalId,
): Promise<void> {
  await site.database.prisma.user.create({
    data: { portalId: of, userId, ...name, superAdmin: false, seatNames: ["SALES_STARTER"], isListed: true },
  });
}

export const page = async (path: string, from = browser) => (await from.get(`/settings/${path}`)).text;

/** Sends a form as it stands on a page, with the fields given in place of the page's. */
export async function submit(
  path: string,
  fields: Record<string, string> | string[][],
  { form, from = browser }: { form?: string; from?: Browser } = {},
): Promise<BrowserAnswer> {
  const text = form ?? (await page(path, from));
  const version = /name="version" value="(\d+)"/.exec(text)?.[1] ?? "0";
  const versions = [...text.matchAll(/name="(version_\d+)" value="(\d+)"/g)];
  const given = Array.isArray(fields) ? fields : Object.entries(fields);
  return from.post(`/settings/${path}`, [
    ["form_token", hiddenField(text, "form_token")],
    ...given,
    ["version", version],
    ...versions.map(([, name = "", value = ""]) => [name, value]),
  ]);
}

/** Presses the button of the list of presets that makes one the default; empty: the one that takes the default away. */
export async function chooseDefault(preset: string, form: string): Promise<BrowserAnswer> {
  const value = (text: string) => (text === "" ? "value" : `value="${text}"`);
  const shown = new RegExp(
    `name="preset" ${value(preset)}/?><input type="hidden" name="instead" value(?:="(\\d+)")?/?>` +
      `<input type="hidden" name="version" value="(\\d+)"`,
  ).exec(form);
  const [, instead = "", version = ""] = shown ?? [];
  return submit("presets/default", { preset, instead, version }, { form });
}

/** What was noted since the account was connected. */
export const audit = () =>
  site.database.prisma.auditEntry.findMany({
    where: { portalId, action: { not: "CONNECTED" } },
    orderBy: { id: "asc" },
  });

export const SENDER = {
  allowed: "yes",
  send_as_email: "sales@acme.example",
  sender_alias: "",
  daily_cap: "120",
  window_from: "09:00",
  window_to: "00:00",
  time_zone: "Asia/Tokyo",
};

export const PRESET = {
  name: "Outbound",
  sender_mode: "contact_owner",
  when_nobody: "fail",
  if_already_enrolled: "wait",
  cooldown_days: "30",
  cooldown_scope: "any",
};

export async function makeRotation(name: string, userId = 7n, of = portalId): Promise<bigint> {
  const { rotationId } = await site.database.prisma.rotation.create({
    data: { portalId: of, name, version: 1, members: { create: { userId, weight: 1 } } },
  });
  return rotationId;
}

/** Gives the account's contacts a property, as a person makes one in HubSpot. */
export function addProperty(
  name: string,
  label: string,
  { isHidden = false, holdsUser = false }: { isHidden?: boolean; holdsUser?: boolean } = {},
): void {
  site.simulator.portals.get(Number(portalId))?.contactProperties.add({
    name,
    label,
    type: "enumeration",
    fieldType: "select",
    groupName: "contactinformation",
    description: "",
    hidden: isHidden,
    createdAtMs: 0,
    ...(holdsUser && { referencedObjectType: "OWNER" as const }),
  });
}

/** A site for a whole test file, and two accounts for each test, each with an admin who is signed in. */
export function usePolicySite(options: SiteOptions = {}): void {
  beforeAll(async () => {
    site = await startSite(options);
  });

  afterAll(() => site.close());

  beforeEach(async () => {
    site.clock.now = new Date();
    [browser, stranger] = [site.browser(), site.browser()];
    const [mine, other] = [site.simulator.addPortal().portalId, site.simulator.addPortal().portalId];
    [portalId, otherId] = [BigInt(mine), BigInt(other)];
    await install(site, browser, mine);
    await install(site, stranger, other);
    await letInstallersIn(site.database);
    for (const id of [portalId, otherId]) {
      await addUser(7n, { firstName: "Ann", lastName: "Lee", email: "ann@acme.example" }, id);
      await addUser(8n, { firstName: "Bob", lastName: "Ray", email: "bob@acme.example" }, id);
    }
  });
}
