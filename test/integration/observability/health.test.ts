import { randomBytes } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { startApp, type App } from "../../../src/app.js";
import { readConfig } from "../../../src/config.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { freePort } from "../../support/start-app.js";

/** The way to the database, which can be cut, muted and mended: the server itself is shared by the whole run. */
interface Cable {
  readonly port: number;
  cut(): void;
  /** Connections stay open, new ones too, and nothing comes through. */
  mute(): void;
  mend(): void;
  close(): Promise<void>;
}

async function layCable(target: { host: string; port: number }): Promise<Cable> {
  const open = new Set<Socket>();
  let state: "whole" | "cut" | "mute" = "whole";
  const server: Server = createServer((near) => {
    if (state === "cut") {
      near.destroy();
      return;
    }
    if (state === "mute") {
      open.add(near.on("error", () => undefined).on("close", () => open.delete(near)));
      return;
    }
    const far = connect(target);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const drop = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    cut() {
      state = "cut";
      drop();
    },
    mute() {
      state = "mute";
      for (const socket of open) socket.unpipe().pause();
    },
    mend() {
      if (state === "mute") drop();
      state = "whole";
    },
    close: () =>
      new Promise((resolve) => {
        drop();
        server.close(() => {
          resolve();
        });
      }),
  };
}

const METRICS_TOKEN = "a-token-of-the-operator";

describe("what operators look at", () => {
  let db: TestDatabase;
  let cable: Cable;
  let app: App;
  let worker: App;
  let url: string;
  let workerUrl: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    const server = new URL(db.url);
    cable = await layCable({ host: server.hostname, port: Number(server.port) });
    const cabled = new URL(db.url);
    cabled.hostname = "127.0.0.1";
    cabled.port = String(cable.port);
    const port = await freePort();
    url = `http://localhost:${port}`;
    const environment = {
      NODE_ENV: "development",
      DATABASE_URL: cabled.href,
      PORT: String(port),
      PUBLIC_URL: url,
      HUBSPOT_CLIENT_ID: "client",
      HUBSPOT_CLIENT_SECRET: randomBytes(16).toString("hex"),
      HUBSPOT_APP_ID: "1",
      HUBSPOT_API_URL: "http://127.0.0.1:1",
      HUBSPOT_APP_URL: "http://127.0.0.1:1",
      ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
      SESSION_SECRET: "a-session-secret-for-tests-only-0123456789",
    };
    const logger = pino({ level: "silent" });
    app = await startApp(readConfig(environment), logger);
    worker = await startApp(readConfig({ ...environment, PORT: "0", ROLE: "worker", METRICS_TOKEN }), logger);
    workerUrl = `http://localhost:${worker.address.port}`;
  });

  afterAll(async () => {
    await worker.close({ graceMs: 0 });
    await app.close({ graceMs: 0 });
    await cable.close();
    await db.drop();
  });

  async function get(target: string, headers: Record<string, string> = {}) {
    const response = await fetch(target, { headers });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  /** Asks until the answer has the status, or gives the last one. */
  async function getUntil(status: number, target: string) {
    const deadlineMs = Date.now() + 60_000;
    for (;;) {
      const answer = await get(target);
      if (answer.status === status || Date.now() > deadlineMs) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("the web process and the worker are alive and ready", async () => {
    for (const origin of [url, workerUrl]) {
      expect((await get(`${origin}/healthz`)).status).toBe(200);
      const ready = await get(`${origin}/readyz`);
      expect(ready.status).toBe(200);
      expect(JSON.parse(ready.text)).toMatchObject({
        status: "ready",
        checks: { database: "ok", queue: "ok" },
      });
    }
  });

  test("with the database gone both stay alive, say within two seconds what is missing, and are ready again after", async () => {
    cable.cut();
    for (const origin of [url, workerUrl]) {
      const startedAt = performance.now();
      const gone = await get(`${origin}/readyz`);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(gone.status).toBe(503);
      expect(JSON.parse(gone.text)).toMatchObject({ status: "not ready", checks: { database: "failing" } });
      expect((await get(`${origin}/healthz`)).status).toBe(200);
    }
    cable.mend();
    for (const origin of [url, workerUrl]) expect((await getUntil(200, `${origin}/readyz`)).status).toBe(200);
  });

  test("with a database that says nothing both say within two seconds that it does not answer, and are ready again after", async () => {
    cable.mute();
    for (const origin of [url, workerUrl]) {
      const startedAt = performance.now();
      const silent = await get(`${origin}/readyz`);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(silent.status).toBe(503);
      expect(JSON.parse(silent.text)).toMatchObject({
        // By the probe's own time, or since a connection that broke off a moment before said so.
        reasons: { database: expect.stringMatching(/^It does not answer(?: within 1 s)?\.$/) },
      });
      expect((await get(`${origin}/healthz`)).status).toBe(200);
    }
    cable.mend();
    for (const origin of [url, workerUrl]) expect((await getUntil(200, `${origin}/readyz`)).status).toBe(200);
  });

  test("a worker serves no routes for HubSpot or admins", async () => {
    expect((await get(`${workerUrl}/settings`)).status).toBe(404);
    const action = await fetch(`${workerUrl}/hubspot/actions/enroll`, { method: "POST" });
    expect(action.status).toBe(404);
  });

  describe("GET /metrics", () => {
    test("is open where no token is configured, in Prometheus' text format", async () => {
      const answer = await get(`${url}/metrics`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
      expect(answer.text).toContain("# TYPE sequence_enroller_calls_accepted_total counter");
      expect(answer.text).toContain("process_cpu_seconds_total");
    });

    test.each([
      ["no token", {}],
      ["a wrong token", { authorization: "Bearer a-token-of-somebody" }],
      ["the token without its scheme", { authorization: METRICS_TOKEN }],
      ["a longer token", { authorization: `Bearer ${METRICS_TOKEN}x` }],
    ])("refuses %s where one is", async (_what, headers) => {
      const answer = await get(`${workerUrl}/metrics`, headers);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
      expect(answer.text).not.toContain("sequence_enroller_");
    });

    test("takes the right one", async () => {
      const answer = await get(`${workerUrl}/metrics`, { authorization: `Bearer ${METRICS_TOKEN}` });
      expect(answer.status).toBe(200);
      expect(answer.text).toContain("sequence_enroller_hubspot_requests_total");
    });
  });

  describe("the request id", () => {
    test("is made for each request and sent back", async () => {
      const [first, second] = await Promise.all([get(`${url}/healthz`), get(`${url}/healthz`)]);
      expect(first.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
      expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
    });

    test("is the caller's own where it brought a harmless one", async () => {
      const answer = await get(`${url}/healthz`, { "x-request-id": "trace-0123456789" });
      expect(answer.headers.get("x-request-id")).toBe("trace-0123456789");
    });

    test.each([["short"], ["x".repeat(65)], ["<script>alert(1)</script>"], ["spaces are not taken"]])(
      "is not %s",
      async (given) => {
        const answer = await get(`${url}/healthz`, { "x-request-id": given });
        expect(answer.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
      },
    );

    test("is in the answer to a refused call, so that it can be found in the log", async () => {
      const response = await fetch(`${url}/hubspot/actions/enroll`, {
        method: "POST",
        headers: { "x-request-id": "trace-9876543210" },
        body: "{}",
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ requestId: "trace-9876543210" });
    });
  });
});
