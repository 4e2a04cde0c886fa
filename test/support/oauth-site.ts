import { afterEach, beforeEach } from "@jest/globals";
import type { Browser } from "./browser.js";
import { startSite, type Site } from "./site.js";

export let site: Site;

export let browser: Browser;

export let portalId: number;

/** A callback URL as HubSpot makes it after consent, with its own code and the state of this browser. */
export async function consentedCallback(from: Browser = browser): Promise<URL> {
  const start = await from.get("/oauth/install");
  return new URL(site.simulator.authorize(start.location ?? "", { portalId }));
}

export async function connectedPortals(): Promise<bigint[]> {
  const portals = await site.database.prisma.portal.findMany({ where: { status: "CONNECTED" } });
  return portals.map((portal) => portal.portalId);
}

export function isSignedIn(): boolean {
  return browser.cookieNames().includes("session");
}

/** A site for each test, and a portal that has not installed the app. */
export function useOAuthSite(): void {
  beforeEach(async () => {
    site = await startSite();
    portalId = site.simulator.addPortal({ uiDomain: "app-eu1.hubspot.com" }).portalId;
    browser = site.browser();
  });

  afterEach(() => site.close());
}
