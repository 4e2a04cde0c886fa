import { spawn } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Simulator } from "../../../src/simulator/simulator.js";
import {
  SIMULATED_APP,
  startListener,
  startSimulatorForTest,
  type ParsedBody,
} from "../../support/simulated-app.js";

let simulator: Simulator;
beforeEach(async () => {
  simulator = await startSimulatorForTest({ recordRequests: true });
});
afterEach(() => simulator.close());

async function control(
  method: string,
  target: string,
  body?: unknown,
): Promise<{ status: number; body: ParsedBody }> {
  const response = await fetch(`${simulator.url}/_simulator${target}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

describe("the simulator's controls", () => {
  test("run a workflow in a made-up portal and report the facts", async () => {
    const app = await startListener(() => ({ body: { outputFields: { hs_execution_state: "BLOCK" } } }));
    const { body: portal } = await control("POST", "/portals", { contacts: 4, troubles: { "no-owner": 1 } });
    expect(portal).toMatchObject({ contacts: 5, installed: false });
    const base = `/portals/${portal.portalId}`;
    const { body: run } = await control("POST", `${base}/runs`, {
      actionUrl: `${app.url}/enroll`,
      contactIds: "all",
      inputs: { sequence_id: "300000001" },
    });
    const { body: watched } = await control("GET", `${base}/runs/${run.runId}?wait=answered`);
    expect(watched.counts).toMatchObject({ total: 5, blocked: 5 });
    const { body: facts } = await control("GET", `${base}/facts`);
    expect(Object.values(facts.callbacks)).toHaveLength(5);
    expect((await control("GET", `${base}/runs/${run.runId}/executions`)).body.executions).toHaveLength(5);
    await app.close();
  });

  test("authorize, fail, limit and slow down", async () => {
    const { body: portal } = await control("POST", "/portals", {});
    const url = new URL("/oauth/authorize", simulator.url);
    url.search = new URLSearchParams({
      client_id: SIMULATED_APP.clientId,
      redirect_uri: SIMULATED_APP.redirectUris[0],
      scope: SIMULATED_APP.requiredScopes.join(" "),
    }).toString();
    const allowed = await control("POST", "/authorize", { url: url.href, portalId: portal.portalId });
    expect(allowed.body.callbackUrl).toContain("code=");
    expect((await control("POST", "/authorize", { url: url.href, portalId: 1 })).status).toBe(409);
    expect((await control("PUT", "/auto-consent", { portalId: portal.portalId })).status).toBe(200);
    expect((await fetch(url, { redirect: "manual" })).status).toBe(302);
    expect((await control("PUT", "/faults", { enroll: { resetAfter: 0.5 }, slowMs: [1, 2] })).status).toBe(
      200,
    );
    expect(
      (await control("POST", "/failures", { endpoint: "token", fault: "errorBefore", status: 500 })).status,
    ).toBe(200);
    expect((await fetch(`${simulator.url}/oauth/2026-09/token`, { method: "POST" })).status).toBe(500);
    expect((await control("PUT", "/rate-limit", { requests: 5, windowMs: 1000 })).status).toBe(200);
    expect((await control("PUT", "/latency", { latencyMs: [1, 2] })).status).toBe(200);
    expect((await control("PUT", "/token-endpoint", { mode: "outage" })).status).toBe(200);
    expect((await control("GET", "/state")).body).toMatchObject({ faults: { "token/errorBefore": 1 } });
  });

  test("say what is wrong with a control", async () => {
    expect((await control("PUT", "/faults", { enroll: { meteor: 1 } })).status).toBe(400);
    expect((await control("GET", "/portals/1")).status).toBe(404);
    expect((await control("GET", "/nothing")).status).toBe(404);
  });

  test("do not answer a web page that reaches them by a name of its own", async () => {
    const { hostname, port } = new URL(simulator.url);
    const request = httpRequest({
      hostname,
      port,
      path: "/_simulator/state",
      headers: { host: "evil.example" },
    });
    request.end();
    const [response] = await once(request, "response");
    response.resume();
    expect(response.statusCode).toBe(403);
  });

  test("record requests without their secrets", async () => {
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: "na1-secret",
      client_secret: "s3cret",
    });
    await fetch(`${simulator.url}/oauth/2026-09/token`, { method: "POST", body });
    const portal = simulator.addPortal();
    const token = portal.accessToken();
    await fetch(`${simulator.url}/account-info/2026-09/details`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const kept = JSON.stringify((await control("GET", "/requests")).body);
    expect(simulator.requests).toHaveLength(2);
    expect(kept).not.toContain("na1-secret");
    expect(kept).not.toContain("s3cret");
    expect(kept).not.toContain(token);
  });
});

describe("the simulator as a program of its own", () => {
  test("prints where it is, serves, and leaves when told to", async () => {
    const program = path.resolve(import.meta.dirname, "../../../src/bin/simulator.ts");
    const child = spawn(process.execPath, ["--import", "tsx", program, "--port", "0", "--contacts", "3"], {
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let printed = "";
    for await (const chunk of child.stdout) {
      printed += String(chunk);
      if (printed.includes("/_simulator/state")) break;
    }
    const state = await (await fetch(/http\S+\/_simulator\/state/.exec(printed)![0])).json();
    expect(state.portals).toMatchObject([{ contacts: 3 }]);
    child.kill("SIGTERM");
    expect((await exited)[0]).toBe(0);
  });
});
