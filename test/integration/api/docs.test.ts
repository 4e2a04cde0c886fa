import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ERROR_SENTENCES } from "#domain/contract/error-codes.js";
import { WEBHOOK_EVENTS } from "#domain/subscriptions/events.js";
import { API_PROBLEMS } from "#web/api/kit/problem.js";
import { createApiClient } from "../../support/api-client.js";
import {
  browserSuite,
  findBarriers,
  launchChromium,
  openTab,
  sidewaysScroll,
} from "../../support/chromium.js";
import { startSite, type Site } from "../../support/site.js";

let site: Site;

beforeAll(async () => {
  site = await startSite();
});

afterAll(() => site.close());

const get = (path: string) => createApiClient(site.url, undefined).get(path);

test("the type of a problem is an address where its code is explained, without a key", async () => {
  const refused = await get("/api/v1/enrollments");
  const { origin, pathname, hash } = new URL(refused.body.type);
  expect([origin, hash]).toEqual([site.url, "#UNAUTHENTICATED"]);
  const page = await get(pathname);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  for (const code of [...Object.keys(API_PROBLEMS), ...Object.keys(ERROR_SENTENCES)])
    expect(page.text.split(` id="${code}"`)).toHaveLength(2);
  expect(page.text).toContain(ERROR_SENTENCES.BOUNCED);
});

test("every operation of the OpenAPI document is on the page, and nothing of it comes from elsewhere", async () => {
  const { body } = await get("/api/v1/openapi.json");
  const { text, status } = await get("/api/docs");
  expect(status).toBe(200);
  const operations = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap(
    Object.values,
  );
  expect(operations.length).toBeGreaterThan(10);
  for (const { operationId } of operations) expect(text).toContain(` id="${operationId}"`);
  expect(Object.keys(body.webhooks).sort()).toEqual([...WEBHOOK_EVENTS, "webhook.test"].sort());
  for (const type of Object.keys(body.webhooks)) expect(text).toContain(`<code>${type}</code>`);
  const loaded = [...text.matchAll(/<(?:script|link|img)[^>]* (?:src|href)="([^"]*)"/g)].map(([, at]) => at);
  expect(loaded).toHaveLength(4);
  for (const address of loaded) {
    if (address === "data:,") continue;
    expect(address).toMatch(/^\//);
    expect((await get(address ?? "")).status).toBe(200);
  }
});

browserSuite("the API's documentation")("in a browser", () => {
  test("a request is tried with the key that was typed, and no barrier keeps anybody from it", async () => {
    const browser = await launchChromium();
    try {
      const { page, complaints } = await openTab(browser);
      await page.goto(`${site.url}/api/docs`);
      await page.getByLabel("API key for").fill("sqe_AAAAAAAA_wrong");
      const form = page.locator("#listEnrollments form");
      await form.getByRole("button").click();
      await form.getByText("UNAUTHENTICATED", { exact: false }).waitFor();
      expect(await form.locator("[data-answer]").textContent()).toContain("401");
      expect(await findBarriers(page)).toEqual([]);
      expect(await sidewaysScroll(page)).toBe(0);
      await page.goto(`${site.url}/api/docs/errors#BOUNCED`);
      expect(await findBarriers(page)).toEqual([]);
      expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
