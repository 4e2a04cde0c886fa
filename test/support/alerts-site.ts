import { afterEach } from "@jest/globals";
import request from "supertest";
import { type Mailer } from "#domain/alerts/mailer.js";
import { openWebhookUrl } from "#domain/alerts/webhook-seals.js";
import { createCipher } from "#domain/vault/cipher.js";
import { createPoster } from "#platform/outbound/post.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { createLogger } from "#platform/observability/logger.js";
import { hiddenField } from "./browser.js";
import { KEYS, startSite, type Site } from "./site.js";

export type Agent = ReturnType<typeof request.agent>;

export let site: Site;

export let portalId: bigint;

export let admin: Agent;

/** What webhooks may reach though it is private. */
let privateDestinations: ReadonlySet<string>;

/** Opens the site and signs an admin in. */
export async function open(options: Parameters<typeof startSite>[0] = {}): Promise<void> {
  privateDestinations = options.privateDestinations ?? new Set();
  site = await startSite(options);
  const portal = site.simulator.addPortal();
  portalId = BigInt(portal.portalId);
  admin = await signIn(portal.portalId);
}

/** A browser that has just installed the app in the portal. */
export async function signIn(portal: number): Promise<Agent> {
  const agent = request.agent(site.url);
  const start = await agent.get("/oauth/install").expect(302);
  const back = new URL(site.simulator.authorize(start.get("location") ?? "", { portalId: portal }));
  await agent.get(back.pathname + back.search);
  return agent;
}

export const page = async (from = admin, path = "/settings/alerts"): Promise<string> =>
  (await from.get(path).expect(200)).text;

/** As they are stored, with the address opened, which is stored sealed. */
export async function choicesOf(portal = portalId) {
  const stored = await site.database.prisma.portalSettings.findUnique({ where: { portalId: portal } });
  const sealed = stored?.alertWebhookSealed ?? null;
  return (
    stored && {
      ...stored,
      ...(sealed && { alertWebhookUrl: openWebhookUrl(createCipher(KEYS), portal, sealed) }),
    }
  );
}

export const alertsOf = (portal = portalId) =>
  site.database.prisma.alert.findMany({ where: { portalId: portal }, orderBy: { id: "asc" } });

/** Fills in the form as it stands on the page, or stood on an earlier one. */
export async function setAddress(address: string, { from = admin, filledIn = "" } = {}) {
  const form = filledIn === "" ? await page(from) : filledIn;
  return from
    .post("/settings/alerts")
    .type("form")
    .send({
      form_token: hiddenField(form, "form_token"),
      version: hiddenField(form, "version"),
      webhook_url: address,
    });
}

export async function pressTest(from = admin) {
  const token = hiddenField(await page(from), "form_token");
  return from.post("/settings/alerts/test").type("form").send({ form_token: token, channel: "WEBHOOK" });
}

/** Text of one element, without its tags. */
export function textOf(html: string, id: string): string {
  const element = new RegExp(`<(\\w+)[^>]* id="${id}"[^>]*>(.*?)</\\1>(?=<|$)`, "s").exec(html)?.[2];
  if (element === undefined) throw new Error(`The page has no element ${id}`);
  return element.replace(/<[^>]*>/g, "").replaceAll("&quot;", '"');
}

/** The worker's periodic job, once. */
export async function postDueAlerts(
  mailer?: Mailer,
  destinations: ReadonlySet<string> = privateDestinations,
): Promise<void> {
  const poster = createPoster(destinations);
  await site.database.pool.query(
    "UPDATE alerts SET due_at = now() - interval '1 millisecond' WHERE outcome IS NULL",
  );
  const logger = createLogger({
    level: "debug",
    destination: { write: (line: string) => void site.logLines.push(line) },
  });
  await sendDueAlerts({
    pool: site.database.pool,
    poster,
    mailer,
    publicUrl: site.url,
    cipher: createCipher(KEYS),
    logger,
  });
  await poster.close();
}

/** Closes each test's site. */
export function useAlertsSite(): void {
  afterEach(() => site.close());
}
