import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import {
  ENROLL_ROUTE,
  PRESET_OPTIONS_ROUTE,
  SENDER_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { SigningPlan } from "../../../src/simulator/world/signing.js";
import { startRunningApp, type RunningApp } from "../../support/start-app.js";

const BY_WORKFLOWS = [
  ...[ENROLL_ROUTE, CHECK_ENROLLMENT_ROUTE, WAIT_FOR_SEQUENCE_END_ROUTE],
  ...[SEQUENCE_OPTIONS_ROUTE, SENDER_OPTIONS_ROUTE, PRESET_OPTIONS_ROUTE],
];

let running: RunningApp;

beforeAll(async () => {
  running = await startRunningApp();
});

afterAll(() => running.close());

const BODY = { callbackId: "ap-v3", origin: { portalId: 1 }, object: { objectId: 1 } };

async function post(route: string, plan: SigningPlan, body: unknown = BODY): Promise<number> {
  const url = running.publicUrl + route;
  const text = JSON.stringify(body);
  const headers = running.simulator.sign({ method: "POST", url, body: text }, plan);
  return (await fetch(url, { method: "POST", headers, body: text })).status;
}

async function counted(): Promise<number> {
  const metrics = await (await fetch(`${running.publicUrl}/metrics`)).text();
  return Number(/^sequence_enroller_bad_v3_signatures_total (\d+)$/m.exec(metrics)?.[1]);
}

const warnings = () => running.logLines.filter(({ msg }) => String(msg).includes("its v3 does not match"));

describe("a v3 signature that does not match", () => {
  test.each(BY_WORKFLOWS)("does not refuse a call of %s whose v2 is good", async (route) => {
    expect(await post(route, { v2: "good", v3: "bad" })).toBe(200);
  });

  test("is counted each time, and logged once", async () => {
    for (const route of BY_WORKFLOWS) await post(route, { v2: "good", v3: "bad" });
    // A page of metrics is kept for a second.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await counted()).toBeGreaterThanOrEqual(BY_WORKFLOWS.length);
    expect(warnings()).toHaveLength(1);
  });

  test.each(BY_WORKFLOWS)("is refused by %s beside any other v2 than a good one", async (route) => {
    const before = running.logLines.length;
    expect(await post(route, { v3: "bad" })).toBe(401);
    expect(await post(route, { v3: "bad", v2: "bad" })).toBe(401);
    expect(await post(route, { v3: "bad", v1: "good" })).toBe(401);
    expect(running.logLines.slice(before).map(({ reason }) => reason)).toEqual(Array(3).fill("mismatch"));
  });

  test.each(["stale", "future", "no-timestamp"] as const)(
    "is not looked past where the time of it is %s, whatever v2 says",
    async (v3) => {
      for (const route of BY_WORKFLOWS) expect(await post(route, { v2: "good", v3 })).toBe(401);
    },
  );

  test("decides alone for webhooks", async () => {
    expect(await post(WEBHOOK_ROUTE, { v2: "good", v3: "bad" }, [])).toBe(401);
    expect(await post(WEBHOOK_ROUTE, { v3: "good" }, [])).toBe(200);
  });
});
