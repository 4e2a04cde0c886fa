import { describe, expect, test } from "@jest/globals";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
  PortalSpared,
} from "#platform/hubspot/errors.js";
import { afterCrash, FailedUnsent, giveUp, recoverable } from "#worker/attempt/attempt-faults.js";

const HOUR = 3_600_000;
const WAITED_FOR = 60 * 60_000;

function claimed(given: Partial<ClaimedExecution> & { leftMs?: number } = {}): ClaimedExecution {
  const { leftMs = 24 * HOUR, ...fields } = given;
  return {
    state: "ATTEMPTING",
    kind: "ENROLL",
    attempts: 1,
    retries: 0,
    crashes: 0,
    doubtedAt: undefined,
    deadlineMs: performance.now() + leftMs,
    ...fields,
  } as ClaimedExecution;
}

const down = (retryAfterMs?: number) => new HubSpotUnavailable("HubSpot answered 503", { retryAfterMs });
const throttled = (retryAfterMs?: number) =>
  new HubSpotThrottled("slow down", { policyName: "DAILY", retryAfterMs });
const codeOf = (result: ReturnType<typeof recoverable> | undefined) =>
  result?.to === "DECIDED" ? result.outcome.errorCode : result?.to;
const delayOf = (result: ReturnType<typeof recoverable>) =>
  "delayMs" in result ? result.delayMs : undefined;

describe("when HubSpot could not be asked, the next try comes", () => {
  test.each([down, throttled])("no sooner than HubSpot said", (fault) => {
    const result = recoverable(fault(WAITED_FOR), claimed(), "QUEUED");
    expect(result).toMatchObject({ to: "QUEUED", delayMs: WAITED_FOR });
    expect(result).not.toHaveProperty("isWait");
  });

  test("after a gap that grows with each try, also if HubSpot asked for less", () => {
    const after = (retries: number) => delayOf(recoverable(down(1), claimed({ retries }), "QUEUED"));
    // Half of the gap is by chance.
    expect(after(0)).toBeGreaterThanOrEqual(1_000);
    expect(after(0)).toBeLessThanOrEqual(2_000);
    expect(after(3)).toBeGreaterThanOrEqual(8_000);
    expect(after(30)).toBeLessThanOrEqual(15 * 60_000);
    expect(after(30)).toBeGreaterThanOrEqual(15 * 30_000);
  });

  test("as soon as the account is not spared anymore, with no try counted", () => {
    expect(recoverable(new PortalSpared(), claimed({ retries: 9 }), "QUEUED")).toMatchObject({
      to: "QUEUED",
      isWait: true,
      delayMs: 0,
    });
    const read = recoverable(new PortalSpared(), claimed({ state: "UNCERTAIN", leftMs: 1 }), "UNCERTAIN");
    expect(read).toMatchObject({ to: "UNCERTAIN", delayMs: 0 });
    expect(read).not.toHaveProperty("isWait");
  });

  test.each([new GrantRevoked("gone"), new AppMisconfigured("wrong secret")])(
    "a minute later where the account cannot be called at all",
    (fault) => {
      expect(recoverable(fault, claimed(), "QUEUED")).toMatchObject({ to: "QUEUED", delayMs: 60_000 });
    },
  );

  test("within a minute where our own database did not answer", () => {
    const fault = Object.assign(new Error("gone"), { code: "57P01" });
    expect(delayOf(recoverable(fault, claimed({ retries: 3 }), "QUEUED"))).toBeGreaterThanOrEqual(4_000);
    for (const to of ["QUEUED", "UNCERTAIN"] as const) {
      const result = recoverable(fault, claimed({ retries: 30 }), to);
      expect(result).toMatchObject({ to, problem: expect.stringMatching(/^\w.*\bdatabase\b.*\.$/) });
      expect(delayOf(result)).toBeLessThanOrEqual(60_000);
      expect(delayOf(result)).toBeGreaterThanOrEqual(30_000);
    }
  });
});

describe("an outage that lasts until the deadline is the outcome", () => {
  test("if no further attempt can begin before it, the sweep's lateness included", () => {
    const asked = 60_000;
    const decided = (leftMs: number) => codeOf(recoverable(down(asked), claimed({ leftMs }), "QUEUED"));
    expect(decided(asked + 4_000)).toBe("HUBSPOT_UNAVAILABLE");
    expect(decided(asked + 6_000)).toBe("QUEUED");
  });

  test("but a limit is none: it ends with the deadline itself", () => {
    expect(codeOf(recoverable(throttled(WAITED_FOR), claimed({ leftMs: 1_000 }), "QUEUED"))).toBe("QUEUED");
  });

  test("what may have been sent is read until the deadline itself, and once at least", () => {
    const reading = (leftMs: number, state: ClaimedExecution["state"] = "UNCERTAIN") =>
      codeOf(recoverable(down(WAITED_FOR), claimed({ leftMs, state }), "UNCERTAIN"));
    expect(reading(1_000)).toBe("UNCERTAIN");
    expect(reading(-1)).toBe("HUBSPOT_UNAVAILABLE");
    expect(reading(-1, "ATTEMPTING")).toBe("UNCERTAIN");
  });
});

test("a read that HubSpot refuses for the app's permissions is told as that, and any other as its own", () => {
  const refused = (httpStatus: number, category?: string) =>
    codeOf(recoverable(new HubSpotRejected({ httpStatus, category, message: "no" }), claimed(), "QUEUED"));
  expect(refused(403)).toBe("MISSING_SCOPES");
  expect(refused(403, "PERMISSION_DENIED")).not.toBe("MISSING_SCOPES");
  expect(refused(404)).toBe("CONTACT_NOT_FOUND");
});

test("what is neither HubSpot's fault nor the database's is thrown", () => {
  const fault = new TypeError("ours");
  expect(() => recoverable(fault, claimed(), "QUEUED")).toThrow(fault);
});

describe("an execution is given up before an attempt", () => {
  test.each<[what: string, given: Parameters<typeof claimed>[0], code: string | undefined]>([
    ["has time and never crashed", {}, undefined],
    ["crashed nine times", { crashes: 9 }, undefined],
    ["crashed ten times", { crashes: 10 }, "HUBSPOT_REJECTED"],
    ["is past its deadline", { leftMs: -1 }, "DEADLINE_EXCEEDED"],
    ["may have been sent and is past its deadline", { state: "UNCERTAIN", leftMs: -1 }, undefined],
  ])("by its state alone: one that %s", (_what, given, code) => {
    expect(codeOf(giveUp(claimed(given)))).toBe(code);
  });

  test("with a word on the contact in HubSpot if it was ever in doubt", () => {
    const told = "Something went wrong on our end, several times. Our log has the details.";
    const messageOf = (given: Parameters<typeof claimed>[0]) => {
      const result = giveUp(claimed({ crashes: 10, ...given }));
      return result?.to === "DECIDED" ? result.outcome.errorMessage : undefined;
    };
    for (const doubtedAt of [new Date(0), new Date(1)]) expect(messageOf({ doubtedAt })).toContain(told);
    expect(messageOf({ doubtedAt: new Date(1) })).toContain("look at it in HubSpot");
    expect(messageOf({ doubtedAt: new Date(0) })).not.toContain("look at it in HubSpot");
    expect(messageOf({ doubtedAt: new Date(1), kind: "CHECK_ENROLLMENT" })).not.toContain(
      "look at it in HubSpot",
    );
  });
});

describe("after a failure of our own an execution", () => {
  const unsent = new FailedUnsent("before anything was sent");
  const other = new Error("at any moment");

  test.each<[string, Parameters<typeof claimed>[0], Error, string]>([
    ["that was certainly not sent is attempted again", {}, unsent, "QUEUED"],
    ["that may have been sent is read first", {}, other, "UNCERTAIN"],
    ["whose reading failed is read again", { state: "UNCERTAIN" }, unsent, "UNCERTAIN"],
    ["that was not sent is given up at the tenth", { crashes: 9 }, unsent, "HUBSPOT_REJECTED"],
    ["that was not sent ends at its deadline", { leftMs: -1 }, unsent, "DEADLINE_EXCEEDED"],
    ["that may have been sent is read once more, even if it is late", { leftMs: -1 }, other, "UNCERTAIN"],
    ["that may have been sent is read once more at the tenth", { crashes: 9 }, other, "UNCERTAIN"],
    ["whose tenth reading failed is given up", { state: "UNCERTAIN", crashes: 9 }, other, "HUBSPOT_REJECTED"],
  ])("%s", (...[, given, ...end]) => {
    const [fault, code] = end;
    expect(codeOf(afterCrash(claimed(given), fault))).toBe(code);
  });

  test("counts as a crash and waits up to a minute, unless it is the last chance to read it", () => {
    const crashed = (crashes: number) => afterCrash(claimed({ crashes }), other);
    expect(crashed(0)).toMatchObject({ isCrash: true, problem: "Something went wrong on our end." });
    expect(delayOf(crashed(0))).toBeLessThanOrEqual(1_000);
    expect(delayOf(crashed(0))).toBeGreaterThanOrEqual(500);
    expect(delayOf(crashed(8))).toBeGreaterThanOrEqual(30_000);
    expect(delayOf(crashed(8))).toBeLessThanOrEqual(60_000);
    expect(crashed(9)).toMatchObject({ delayMs: 0, isCrash: true });
  });
});
