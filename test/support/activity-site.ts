import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import { type Browser } from "./browser.js";
import { seedExecutions } from "./executions.js";
import { install, startSite, type Site } from "./site.js";

export const HOSTILE = `<script>alert(1)</script>"'>\u202Egnp.exe`;

export const HOUR_MS = 3_600_000;

export let site: Site;

export let browser: Browser;

export let portalId: bigint;

export let otherBrowser: Browser;

export let otherId: bigint;

export const hoursAgo = (hours: number) => new Date(site.clock.now.getTime() - hours * HOUR_MS);

/** Contact ids in the list, from the top. */
export const listed = (page: string): string[] =>
  [...page.matchAll(/record\/0-1\/(\d+)"/g)].map(([, contactId]) => contactId ?? "");

export async function list(query: string, by = browser): Promise<string[]> {
  return listed((await by.get(`/settings/activity${query}`)).text);
}

export async function idOf(contactId: string): Promise<bigint> {
  const found = await site.database.prisma.execution.findFirst({ where: { portalId, contactId } });
  if (found === null) throw new Error(`no execution of contact ${contactId}`);
  return found.id;
}

/** One of each kind an admin may look for, of two portals with the same ids. */
export async function seedVariety(): Promise<void> {
  for (const owner of [portalId, otherId]) {
    await seedExecutions(site.database, [
      {
        portalId: owner,
        contactId: "1",
        contactEmail: "Ann@acme.example",
        acceptedAt: hoursAgo(80),
        sequenceId: "31",
        enrollmentStatus: "ENROLLED",
        senderUserId: 7n,
      },
      {
        portalId: owner,
        contactId: "2",
        contactEmail: "bob@acme.example",
        request: { properties: { firstname: "Hugo", lastname: "Duarte" } },
        acceptedAt: hoursAgo(50),
        errorCode: "INBOX_NOT_CONNECTED",
        enrollmentStatus: "FAILED",
      },
      {
        portalId: owner,
        contactId: "3",
        contactEmail: "cy@other.example",
        acceptedAt: hoursAgo(5),
        errorCode: "INBOX_NOT_CONNECTED",
        enrollmentStatus: "FAILED",
      },
      { portalId: owner, contactId: "4", contactEmail: "ann_x@other.example", acceptedAt: hoursAgo(4) },
      {
        portalId: owner,
        contactId: "5",
        acceptedAt: hoursAgo(3),
        kind: "CHECK_ENROLLMENT",
        state: "COMPLETED",
        decidedAt: hoursAgo(3),
        workflowId: "99",
      },
      {
        portalId: owner,
        contactId: "6",
        acceptedAt: hoursAgo(2),
        errorCode: "COOLDOWN_ACTIVE",
        enrollmentStatus: "SKIPPED",
      },
    ]);
  }
}

/** A site for a whole test file, with two accounts whose admins are signed in. */
export function useActivitySite(): void {
  beforeAll(async () => {
    site = await startSite();
    [browser, otherBrowser] = [site.browser(), site.browser()];
    portalId = BigInt(site.simulator.addPortal().portalId);
    otherId = BigInt(site.simulator.addPortal().portalId);
    await install(site, browser, Number(portalId));
    await install(site, otherBrowser, Number(otherId));
  });

  afterAll(() => site.close());

  beforeEach(async () => {
    await site.database.pool.query(`TRUNCATE executions, bulk_jobs, audit_entries, sequences, owners`);
  });
}
