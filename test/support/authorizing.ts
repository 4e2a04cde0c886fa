import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { createBrowser, type Browser } from "./browser.js";
import type { RunningApp } from "./start-app.js";

/** Whom a browser authorizes the app as, and by which door. */
export interface AuthorizeAs {
  readonly portal: SimulatedPortal;
  readonly userId: number;
  readonly by: "install" | "sign-in";
  /** False: the permission to read the user list is taken out of the address. */
  readonly withUserList?: boolean;
}

const PATHS = { install: "/oauth/install", "sign-in": "/settings/sign-in" };

/** Goes through HubSpot's consent page in a new browser. Gives the browser and what our callback answered. */
export async function authorizeAs(
  running: Pick<RunningApp, "publicUrl" | "simulator">,
  { portal, userId, by, withUserList = true }: AuthorizeAs,
) {
  const browser: Browser = createBrowser(running.publicUrl);
  const start = await browser.get(PATHS[by]);
  const address = new URL(start.location ?? "");
  if (!withUserList) address.searchParams.delete("optional_scope");
  const callback = running.simulator.authorize(address.href, { portalId: portal.portalId, userId });
  return { browser, answer: await browser.get(callback) };
}

/** Users of the portal who are no super admins, each with HubSpot's permission to install apps. */
export function appUsers(portal: SimulatedPortal): number[] {
  return [...portal.users.values()]
    .filter(({ superAdmin, active }) => !superAdmin && active)
    .map((user) => {
      user.canInstallApps = true;
      return user.userId;
    });
}

/** Somebody who joins the account now. */
export function addUser(portal: SimulatedPortal, facts: { superAdmin?: boolean } = {}): number {
  const userId = 900_000 + portal.users.size;
  const email = `newcomer-${userId}@acme.example`;
  portal.users.set(userId, {
    ...portal.admin,
    userId,
    email,
    inboxAddress: email,
    firstName: "New",
    lastName: "Comer",
    superAdmin: facts.superAdmin ?? false,
    canInstallApps: true,
  });
  return userId;
}

/** Waits until `holds`, which asks the database. */
export async function until(holds: () => Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
  const endsAtMs = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > endsAtMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
