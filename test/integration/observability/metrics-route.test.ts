import { afterEach, describe, expect, test } from "@jest/globals";
import express from "express";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Gauge, Registry } from "prom-client";
import { createMetricsRouter } from "#platform/observability/metrics/metrics-route.js";

let server: Server | undefined;
afterEach(() => new Promise((resolve) => server?.close(resolve)));

async function serve(options: { token?: string; isProduction: boolean }) {
  const registry = new Registry();
  let renders = 0;
  new Gauge({
    name: "renders",
    help: "How often the metrics were rendered",
    registers: [registry],
    collect() {
      this.set((renders += 1));
    },
  });
  const app = express().use(createMetricsRouter({ registry, token: undefined, ...options }));
  server = createServer(app);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const get = (headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/metrics`, { headers, signal: AbortSignal.timeout(5_000) });
  return { get, renders: () => renders };
}

describe("GET /metrics", () => {
  test("does not exist in production without a token, whatever one brings along", async () => {
    const { get, renders } = await serve({ isProduction: true });
    expect((await get()).status).toBe(404);
    expect((await get({ authorization: "Bearer undefined" })).status).toBe(404);
    expect(renders()).toBe(0);
  });

  test("is open without a token in development alone", async () => {
    const { get } = await serve({ isProduction: false });
    expect((await get()).status).toBe(200);
  });

  test("renders nothing for whoever has not the token", async () => {
    const { get, renders } = await serve({ isProduction: true, token: "right" });
    for (const authorization of [
      "",
      "Bearer",
      "Bearer ",
      "Bearer wrong",
      "right",
      "bearer right",
      "Bearer rightx",
    ])
      expect((await get({ authorization })).status).toBe(401);
    expect(renders()).toBe(0);
    expect((await get({ authorization: "Bearer right" })).status).toBe(200);
  });

  test("is rendered once for a flood, and again a second later", async () => {
    const { get, renders } = await serve({ isProduction: false });
    const startedMs = performance.now();
    const texts = await Promise.all(Array.from({ length: 200 }, async () => (await get()).text()));
    const floodMs = performance.now() - startedMs;
    const most = 1 + Math.floor(floodMs / 1_000);
    expect(new Set(texts).size).toBeLessThanOrEqual(most);
    expect(renders()).toBeLessThanOrEqual(most);
    const before = renders();
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await get();
    expect(renders()).toBe(before + 1);
  });
});
