import { afterEach, beforeEach } from "@jest/globals";
import { hiddenField, type Browser } from "./browser.js";
import { install, letInstallersIn, startSite, type Site } from "./site.js";

export let site: Site;

export let browser: Browser;

export let portalNumber: number;

export let portalId: bigint;

export async function addUser(
  userId: bigint,
  name: { firstName: string; lastName: string; email: string },
  of = portalId,
) {
  const person = { portalId: of, userId, ...name };
  await site.database.prisma.user.create({
    data: { ...person, superAdmin: false, seatNames: [], isListed: true },
  });
}

export const ann = { firstName: "Ann", lastName: "Lee", email: "ann@acme.example" };

export const bob = { firstName: "Bob", lastName: "Ray", email: "bob@acme.example" };

export const savedSettings = () => site.database.prisma.portalSettings.findUnique({ where: { portalId } });

/** Fills in the form as it stands on the page. */
export async function chooseSender(userId: string, from = browser, page?: string) {
  const form = page ?? (await from.get("/settings")).text;
  const fields = { form_token: hiddenField(form, "form_token"), version: hiddenField(form, "version") };
  return from.post("/settings/default-sender", { ...fields, sender_user_id: userId });
}

/** Without the places where an email address may be broken. */
export const unbroken = (page: string): string => page.replaceAll("<wbr/>", "");

/** Emails in the list, from the top. */
export function listed(page: string): string[] {
  return [...unbroken(page).matchAll(/>([\w-]+@contacts\.example)</g)].map(([, email]) => email ?? "");
}

/** A site for each test, and one account whose admin is signed in. */
export function useSettingsStage(): void {
  beforeEach(async () => {
    site = await startSite();
    browser = site.browser();
    portalNumber = site.simulator.addPortal().portalId;
    portalId = BigInt(portalNumber);
    await install(site, browser, portalNumber);
    await letInstallersIn(site.database);
  });

  afterEach(() => site.close());
}
