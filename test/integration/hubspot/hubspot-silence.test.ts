import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Answer, Silence } from "../../support/silence-process.js";

/** As in the process. */
const TIMEOUT_MS = 600;

/** By the app's own transport, in a process whose `fetch` is tuned as the app's is. */
let met: Record<Answer, Silence>;

beforeAll(async () => {
  const script = fileURLToPath(new URL("../../support/silence-process.ts", import.meta.url));
  const child = fork(script, { execArgv: ["--import", "tsx"] });
  try {
    [met] = (await once(child, "message")) as [Record<Answer, Silence>];
  } finally {
    child.kill();
  }
});

describe("a request whose answer is not in by the time it has", () => {
  test.each<[what: string, answer: Answer]>([
    ["nothing comes at all", "none"],
    ["only a part of the headers comes", "partOfHeaders"],
    ["the body never ends", "noEndOfBody"],
    ["the body comes a byte at a time", "trickle"],
  ])("may have been received: %s", (_what, answer) => {
    const silence = met[answer];
    expect(silence).toMatchObject({ isTimeout: true, wasNotSent: false });
    expect(silence.tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 50);
    expect(silence.bytesReceived).toBeGreaterThan(0);
  });

  test("is not missed if the answer comes slowly, but in time", () => {
    expect(met.inTime.isTimeout).toBe(false);
    expect(met.inTime).not.toHaveProperty("code");
  });
});

test("whether a request may be sent is asked once its connection is made: then not a byte leaves", () => {
  expect(met.spared).toMatchObject({
    code: "PORTAL_SPARED",
    wasNotSent: true,
    connections: 1,
    bytesReceived: 0,
  });
});

test("a request to an address where nothing listens was certainly not sent", () => {
  expect(met.refused).toMatchObject({ isTimeout: false, wasNotSent: true });
});
