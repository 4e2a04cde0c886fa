import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startRunningApp, type RunningApp } from "../support/start-app.js";

/** nginx and the load balancers of the large hosts keep an idle connection to us for a minute. */
const PROXY_KEEPS_MS = 60_000;
const CONNECTIONS = 10;

let running: RunningApp;
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, timeout: 2 * PROXY_KEEPS_MS });

beforeAll(async () => {
  running = await startRunningApp({ environment: { ROLE: "web" } });
});

afterAll(async () => {
  agent.destroy();
  await running.close();
});

/** A POST on one of the agent's connections: its status, and whether the connection was used before. */
function post(): Promise<{ status: number | undefined; isReused: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${running.publicUrl}/hubspot/webhooks`, { method: "POST", agent }, (answer) => {
      answer.resume().once("end", () => {
        resolve({ status: answer.statusCode, isReused: sent.reusedSocket });
      });
    });
    sent.once("error", reject).end("[]");
  });
}

test("a proxy that keeps its connections for a minute finds each still open when that is over", async () => {
  const posts = () => Promise.all(Array.from({ length: CONNECTIONS }, post));
  expect(new Set((await posts()).map(({ status }) => status))).toEqual(new Set([401]));
  await sleep(PROXY_KEEPS_MS + 2_000);
  expect(await posts()).toEqual(Array.from({ length: CONNECTIONS }, () => ({ status: 401, isReused: true })));
});
