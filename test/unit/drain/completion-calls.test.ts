import { describe, expect, test } from "@jest/globals";
import type { OwedCompletion } from "#domain/executions/completions.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
  PortalSpared,
} from "#platform/hubspot/errors.js";
import { sendBatch, sendOne } from "#worker/completions/completion-calls.js";

const HOUR = 3_600_000;

function owed(given: Partial<OwedCompletion> = {}): OwedCompletion {
  return {
    id: 1n,
    isHeld: true,
    callbackId: "ap-1",
    outputFields: {},
    requestContext: undefined,
    tries: 0,
    decidedAt: new Date(),
    isEarly: false,
    doubtedAt: undefined,
    holdEndsMs: performance.now() + HOUR,
    ...given,
  };
}

function send(fault: Error, given: Partial<OwedCompletion> = {}) {
  const fail = () => Promise.reject(fault);
  return sendOne({ gateway: { completeOne: fail, completeBatch: fail }, write: fail }, owed(given));
}

const delayOf = async (...sent: Parameters<typeof send>): Promise<number> => {
  const result = await send(...sent);
  return result.to === "DECIDED" ? result.delayMs : Number.NaN;
};

const down = (options = {}) => new HubSpotUnavailable("HubSpot answered 503", options);

describe("a completion that could not be handed over", () => {
  test.each([
    ["is down", down({ retryAfterMs: HOUR / 2 })],
    ["is limited", new HubSpotThrottled("slow down", { policyName: "DAILY", retryAfterMs: HOUR / 2 })],
  ])("is sent again no sooner than HubSpot said when it %s", async (_what, fault) => {
    expect(await delayOf(fault)).toBe(HOUR / 2);
  });

  test("is sent again after a gap that grows, and later if HubSpot may have taken it", async () => {
    const unsent = down({ wasNotSent: true });
    expect(await delayOf(unsent)).toBeLessThanOrEqual(1_000);
    expect(await delayOf(unsent)).toBeGreaterThanOrEqual(500);
    expect(await delayOf(unsent, { tries: 4 })).toBeGreaterThanOrEqual(8_000);
    expect(await delayOf(down())).toBeGreaterThanOrEqual(3_000);
    expect(await send(unsent)).toMatchObject({ isDoubted: false });
    expect(await send(down())).toMatchObject({ isDoubted: true });
  });

  test("is sent again two minutes later at the most, however often HubSpot failed before", async () => {
    for (const fault of [down(), down({ wasNotSent: true })]) {
      const delays = await Promise.all(Array.from({ length: 20 }, () => delayOf(fault, { tries: 40 })));
      expect(Math.max(...delays)).toBeLessThanOrEqual(2 * 60_000);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(60_000);
    }
  });

  test.each([new GrantRevoked("gone"), new AppMisconfigured("wrong secret")])(
    "is sent again a minute later where the account cannot be called",
    async (fault) => {
      expect(await send(fault)).toMatchObject({ to: "DECIDED", delayMs: 60_000, isDoubted: false });
    },
  );

  test("is not counted as tried if HubSpot was not asked", async () => {
    expect(await send(new PortalSpared())).toMatchObject({ to: "DECIDED", isUnasked: true });
    expect(await send(down())).toMatchObject({ to: "DECIDED", isUnasked: false });
  });

  test("is given up once nobody holds the contact for it anymore, and not before", async () => {
    expect(await send(down(), { holdEndsMs: performance.now() - 1 })).toMatchObject({
      to: "COMPLETION_ABANDONED",
      isDoubted: true,
    });
    expect(await send(down(), { holdEndsMs: performance.now() + 5_000 })).toMatchObject({ to: "DECIDED" });
  });
});

test.each([
  [400, "COMPLETION_REFUSED"],
  [404, "COMPLETION_REFUSED"],
  [410, "COMPLETION_REFUSED"],
  [401, "DECIDED"],
  [403, "DECIDED"],
])("HubSpot's %i to a single completion leaves it %s: the grant concerns all of them", async (status, to) => {
  const fault = new HubSpotRejected({ httpStatus: status, message: "no" });
  expect(await send(fault)).toMatchObject({ to });
  expect(await send(fault, { doubtedAt: new Date(1) })).toMatchObject(
    to === "DECIDED" ? { to } : { to, isDoubted: true },
  );
});

describe("a batch", () => {
  const batch = [owed({ id: 1n, tries: 0 }), owed({ id: 2n, callbackId: "ap-2", tries: 6 })];
  const unused = () => Promise.reject(new Error("not asked for"));
  const sendAll = (completeBatch: () => Promise<never>) =>
    sendBatch({ gateway: { completeOne: unused, completeBatch }, write: unused }, batch);

  test("that could not be handed over stays together: all wait as long as the one tried most often", async () => {
    const { results, untold } = await sendAll(() => Promise.reject(down({ wasNotSent: true })));
    const delays = results.map((result) => (result.to === "DECIDED" ? result.delayMs : 0));
    expect(untold).toEqual([]);
    expect(delays[0]).toBe(delays[1]);
    expect(delays[0]).toBeGreaterThanOrEqual(32_000);
  });

  test("that HubSpot refuses as a whole tells of none, and our own failure is thrown", async () => {
    const refused = new HubSpotRejected({ httpStatus: 400, message: "one of them is bad" });
    expect(await sendAll(() => Promise.reject(refused))).toEqual({
      results: [],
      untold: batch,
      isMixed: false,
    });
    const fault = new TypeError("ours");
    await expect(sendAll(() => Promise.reject(fault))).rejects.toBe(fault);
    await expect(send(fault)).rejects.toBe(fault);
  });
});
