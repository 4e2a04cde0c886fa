import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import express, { type RequestHandler } from "express";
import { createErrorHandler } from "#web/kit/error-handler.js";
import { refuseCrumbs } from "#web/kit/refuse-crumbs.js";
import { readFormBody } from "#web/kit/body/form-body.js";
import { readText } from "#platform/hubspot/read-text.js";
import { createLogger } from "#platform/observability/logger.js";
import { signedHeaders } from "../../../src/simulator/world/signing.js";
import { watchHalts } from "../../support/longest-halt.js";
import { startRunningApp, type RunningApp } from "../../support/start-app.js";

const ENROLL = "/hubspot/actions/enroll";

let app: RunningApp;

beforeAll(async () => {
  app = await startRunningApp({ environment: { ROLE: "web" } });
});
afterAll(() => app.close());

interface Talk {
  socket: Socket;
  /** All that was answered, once the other side has closed. */
  closed: Promise<string>;
  /** The beginning of the answer, with its status. */
  answered: Promise<string>;
}

/** A server of one handler that hangs up on crumbs. */
function serve(handler: RequestHandler): Server {
  const http = express();
  refuseCrumbs(http);
  http.use(handler);
  return createServer(http).listen(0, "127.0.0.1");
}

function talk(port: number, heading: readonly string[]): Talk {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  const answered = new Promise<string>((resolve) =>
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      resolve(text);
    }),
  );
  socket.on("error", () => undefined);
  const closed = new Promise<string>((resolve) =>
    socket.once("close", () => {
      resolve(text);
    }),
  );
  socket.write(`${heading.join("\r\n")}\r\nHost: x\r\n\r\n`);
  return { socket, closed, answered };
}

/** A signature as a forger would make it up: everything about it is right but the secret. */
function forged(nowMs = Date.now()): string[] {
  const url = app.publicUrl + ENROLL;
  const headers = signedHeaders({ method: "POST", url, body: "{}" }, { secret: "a guess", nowMs });
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

/** Thousands of chunks of one byte each, or as many as are taken. */
async function sendCrumbs({ socket }: Talk, atOnce = 64): Promise<void> {
  for (let sent = 0; sent < 8_000 && !socket.destroyed; sent += atOnce) {
    const isFlowing = socket.write("1\r\nx\r\n".repeat(atOnce));
    if (!isFlowing) await Promise.race([once(socket, "drain"), once(socket, "close")]);
  }
}

/** What each of many connections was answered that sent a body in crumbs at full speed. */
async function floodOf(headers: readonly string[], connections: number): Promise<string[]> {
  const head = `${[`POST ${ENROLL} HTTP/1.1`, "Host: x", ...headers].join("\r\n")}\r\n\r\n`;
  const thread = new Worker(new URL("../../support/crumb-flood.mjs", import.meta.url), {
    workerData: { port: app.config.port, head, crumbsEach: 20_000, connections },
  });
  const [answers] = (await once(thread, "message")) as [string[]];
  return answers;
}

describe("a body in chunks of one byte", () => {
  test.each<[string, () => string[]]>([
    ["with a signature of the right form", () => forged()],
    ["without a signature", () => []],
  ])("%s is cut off early, and costs nobody else anything", async (_what, headers) => {
    let isOver = false;
    await fetch(`${app.publicUrl}/healthz`);
    const flood = floodOf([...headers(), "Transfer-Encoding: chunked"], 25).finally(() => (isOver = true));
    const longestHaltMs = watchHalts();
    let longestAnswerMs = 0;
    while (!isOver) {
      const startedAt = performance.now();
      expect((await fetch(`${app.publicUrl}/healthz`)).status).toBe(200);
      longestAnswerMs = Math.max(longestAnswerMs, performance.now() - startedAt);
    }
    expect(longestHaltMs()).toBeLessThan(100);
    expect(longestAnswerMs).toBeLessThan(500);
    const answers = await flood;
    for (const answer of answers) expect(answer).toMatch(/^$|^HTTP\/1\.1 400 /);
    expect(answers.some((answer) => answer !== "")).toBe(true);
  });

  test.each(["/hubspot/webhooks", "/hubspot/options/sequences", "/hubspot/settings/defaults"])(
    "is refused for %s, which HubSpot calls",
    async (route) => {
      const one = talk(app.config.port, [
        `POST ${route} HTTP/1.1`,
        ...forged(),
        "Transfer-Encoding: chunked",
      ]);
      await sendCrumbs(one);
      expect(await one.closed).toMatch(/^$|^HTTP\/1\.1 400 /);
    },
  );

  test.each([
    "GET /healthz",
    "POST /nowhere",
    "GET /settings",
    "GET /oauth/install",
    "POST /settings/alerts",
  ])("for %s, which does not read it, ends the connection too", async (route) => {
    const one = talk(app.config.port, [`${route} HTTP/1.1`, "Transfer-Encoding: chunked"]);
    await one.answered;
    await sendCrumbs(one);
    await one.closed;
  });

  test.each(["whoever reads it", "though nobody reads it"])(
    "is not looked at beyond the first few hundred, %s",
    async (who) => {
      let pushed = 0;
      const server = serve((request, response) => {
        const push = request.push.bind(request);
        request.push = (piece) => ((pushed += 1), push(piece));
        if (who === "whoever reads it") request.resume();
        else response.end("answered");
      });
      await once(server, "listening");
      const one = talk((server.address() as AddressInfo).port, [
        "POST / HTTP/1.1",
        "Transfer-Encoding: chunked",
      ]);
      await sendCrumbs(one, 8_000);
      await one.closed;
      // The last of them is the one too many.
      expect(pushed).toBe(257);
      server.close();
    },
  );

  test("is read from a connection that meets the parser of one that was cut off", async () => {
    const bodies: string[] = [];
    const server = serve((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      request.on("end", () => response.end(String(bodies.push(body))));
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const chunked = ["POST / HTTP/1.1", "Transfer-Encoding: chunked"];
    const one = talk(port, chunked);
    await sendCrumbs(one, 8_000);
    await one.closed;
    const next = talk(port, [...chunked, "Connection: close"]);
    next.socket.write("5\r\nwhole\r\n0\r\n\r\n");
    expect(await next.closed).toMatch(/^HTTP\/1\.1 200 /);
    expect(bodies).toEqual(["whole"]);
    server.close();
  });

  test("of hundreds of connections at once is looked at no longer than that of a few", async () => {
    let [pushed, begun] = [0, 0];
    const server = serve((request) => {
      const push = request.push.bind(request);
      request.push = (piece) => ((pushed += 1), push(piece));
      request.resume();
      begun += 1;
      if (begun === 200) server.emit("all begun");
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const talks = Array.from({ length: 200 }, () =>
      talk(port, ["POST / HTTP/1.1", "Transfer-Encoding: chunked"]),
    );
    await once(server, "all begun");
    // In one turn of the event loop that they share with the server: it finds them all in its next.
    for (const { socket } of talks) socket.write("1\r\nx\r\n".repeat(400));
    await Promise.all(talks.map(({ closed }) => closed));
    expect(pushed).toBeLessThan(4_096 + 200 * 16 + 256);
    server.close();
  });

  test("of an honest caller is read as long as there are not many of them", async () => {
    const body = JSON.stringify({
      callbackId: "ap-crumbs-1",
      origin: { portalId: 99 },
      object: { objectId: 1 },
    });
    const secret = app.config.hubspot.clientSecrets[0];
    const url = app.publicUrl + ENROLL;
    const headers = Object.entries(
      signedHeaders({ method: "POST", url, body }, { secret, nowMs: Date.now() }),
    );
    const one = talk(app.config.port, [
      `POST ${ENROLL} HTTP/1.1`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      "Transfer-Encoding: chunked",
    ]);
    for (const character of body) one.socket.write(`1\r\n${character}\r\n`);
    one.socket.write("0\r\n\r\n");
    expect(await one.answered).toMatch(/^HTTP\/1\.1 200 /);
    one.socket.destroy();
  });
});

describe("who is refused by the headers alone", () => {
  test.each<[string, () => string[]]>([
    ["without a signature", () => []],
    [
      "with a signature of another form",
      () => ["X-HubSpot-Signature: 12", "X-HubSpot-Signature-Version: v2"],
    ],
    ["with an old time", () => forged(Date.now() - 600_000)],
    ["with a time to come", () => forged(Date.now() + 600_000)],
  ])("%s is told so before the body is there", async (_what, headers) => {
    const one = talk(app.config.port, [`POST ${ENROLL} HTTP/1.1`, ...headers(), "Content-Length: 200000"]);
    expect(await one.answered).toMatch(/^HTTP\/1\.1 401 /);
    one.socket.destroy();
  });

  test("gets the refusal soon even if the body never ends", async () => {
    const one = talk(app.config.port, [`POST ${ENROLL} HTTP/1.1`, "Transfer-Encoding: chunked"]);
    one.socket.write("1\r\nx\r\n");
    expect(await one.answered).toMatch(/^HTTP\/1\.1 401 /);
    one.socket.destroy();
  });
});

describe("a form", () => {
  let server: Server;
  let url: string;
  const FORM = { "content-type": "application/x-www-form-urlencoded; charset=utf-7" };

  beforeAll(async () => {
    const http = express();
    refuseCrumbs(http);
    http.post("/", readFormBody({ maxBytes: 100_000, maxFields: 20 }), (request, response) => {
      response.json(request.body ?? "none");
    });
    http.use(createErrorHandler({ logger: createLogger({ level: "silent" }) }));
    server = createServer(http).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const post = async (body: string, headers: Record<string, string> = FORM) => {
    const response = await fetch(url, { method: "POST", headers, body });
    return [response.status, await response.json()] as const;
  };

  test("is read with its repeated fields, blanks and characters", async () => {
    expect(await post("a=1&a=2&b=x+y%20z&c=%C3%A9%F0%9F%9A%80&__proto__=1")).toEqual([
      200,
      JSON.parse('{"a":["1","2"],"b":"x y z","c":"é🚀","__proto__":"1"}'),
    ]);
  });

  test("is refused when it is too large, has too many fields, or is compressed", async () => {
    expect(await post(`a=${"x".repeat(100_000)}`)).toMatchObject([413, { code: "BODY_TOO_LARGE" }]);
    expect(await post("a&".repeat(20))).toMatchObject([413, { code: "BODY_TOO_LARGE" }]);
    expect(await post("a=1", { ...FORM, "content-encoding": "gzip" })).toMatchObject([
      415,
      { code: "BODY_UNREADABLE" },
    ]);
  });

  test("in another type is none", async () => {
    expect(await post("{}", { "content-type": "application/json" })).toEqual([200, "none"]);
  });

  test("in chunks of one byte is refused, and the connection closed", async () => {
    const one = talk(Number(new URL(url).port), [
      "POST / HTTP/1.1",
      "Content-Type: application/x-www-form-urlencoded",
      "Transfer-Encoding: chunked",
    ]);
    await sendCrumbs(one);
    expect(await one.closed).toMatch(/^$|^HTTP\/1\.1 400 /);
  });
});

describe("an answer from HubSpot", () => {
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const [, piece = "", times = "0"] = (request.url ?? "").split("/");
      const send = (left: number): void => {
        if (left === 0 || response.destroyed) return void response.end();
        response.write(decodeURIComponent(piece), () => send(left - 1));
      };
      send(Number(times));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test("is read as a whole, though it comes in pieces that cut characters", async () => {
    expect(await readText(await fetch(`${url}/${encodeURIComponent("é🚀")}/300`))).toBe("é🚀".repeat(300));
    expect(await readText(await fetch(`${url}/x/0`))).toBe("");
  });

  test("is given up when it is larger than any HubSpot answer, and never collected", async () => {
    const endless = await fetch(`${url}/${"x".repeat(1_000)}/1000000`);
    await expect(readText(endless, 100_000)).rejects.toMatchObject({ code: "HUBSPOT_UNAVAILABLE" });
    expect(endless.body?.locked).toBe(false);
  });
});
