import { describe, expect, test } from "@jest/globals";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { afterAlreadyEnrolled } from "#worker/attempt/after-request.js";
import { clockOf } from "../../support/hubspot-clock.js";
import type { EnrollContext } from "#worker/attempt/enroll-context.js";

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

interface Shown {
  /** What HubSpot shows of the contact's enrollment; a fault is thrown. */
  enrollment?: { sequenceId: string; agoMs: number } | Error;
  properties?: Record<string, string>;
  execution?: Partial<ClaimedExecution>;
  ifAlreadyEnrolled?: "skip" | "wait";
}

/** HubSpot refused the second request of an execution, the first of which was sent a minute ago: "already enrolled". */
function refused({ enrollment, properties = {}, execution = {}, ifAlreadyEnrolled = "skip" }: Shown) {
  const claimed = {
    state: "ATTEMPTING",
    contactId: "1",
    sequenceId: "300",
    retries: 0,
    request: { senderMode: "contact_owner", properties: { hs_sequences_enrolled_count: "1" } },
    firstSentAt: new Date(ago(60_000)),
    doubtedAt: new Date(ago(50_000)),
    deadlineMs: performance.now() + 3_600_000,
    ...execution,
  } as unknown as ClaimedExecution;
  const found = enrollment instanceof Error || enrollment === undefined ? undefined : enrollment;
  const shown = found && {
    id: "60",
    sequenceId: found.sequenceId,
    sequenceName: null,
    enrolledAt: new Date(ago(found.agoMs)),
    enrolledBy: "7",
    enrolledByEmail: "a@b.c",
  };
  const context = {
    gateway: {
      readEnrollment: () =>
        enrollment instanceof Error ? Promise.reject(enrollment) : Promise.resolve(shown),
    },
    doubts: {
      clock: clockOf(),
      believeNoneAfterMs: 40_000,
      readProperties: () => Promise.resolve(properties),
    },
  } as unknown as EnrollContext;
  return afterAlreadyEnrolled({ execution: claimed, ifAlreadyEnrolled, context });
}

const OTHERS = { to: "DECIDED", outcome: { enrollmentStatus: "ALREADY_ENROLLED" } };

describe("HubSpot says that the contact is enrolled already", () => {
  test("which is somebody else's doing if every request before was answered, and costs no reading", async () => {
    const enrollment = new Error("must not be read");
    expect(await refused({ execution: { doubtedAt: undefined }, enrollment })).toMatchObject(OTHERS);
  });

  test("and shows our enrollment", async () => {
    const result = await refused({ enrollment: { sequenceId: "300", agoMs: 55_000 } });
    expect(result).toMatchObject({ to: "DECIDED", outcome: { enrollmentStatus: "ENROLLED" } });
  });

  test("and shows another's, once it would show ours, too", async () => {
    const another = { enrollment: { sequenceId: "301", agoMs: 900_000 } };
    expect(await refused(another)).toMatchObject(OTHERS);
    expect(await refused({ ...another, ifAlreadyEnrolled: "wait" })).toMatchObject({ to: "WATCHING" });
    const early = { doubtedAt: new Date(ago(5_000)) };
    expect(await refused({ ...another, execution: early })).toMatchObject({ to: "UNCERTAIN" });
  });

  test("and shows none: that contradiction is not settled by time, and nothing is sent", async () => {
    const result = await refused({});
    expect(result).toMatchObject({
      to: "UNCERTAIN",
      problem: expect.stringContaining("does not show in what"),
    });
    expect("delayMs" in result && result.delayMs).toBeGreaterThan(5_000);
  });

  test("and counts one more than it shows", async () => {
    const properties = { hs_sequences_enrolled_count: "3", hs_latest_sequence_enrolled_date: ago(1_000) };
    const result = await refused({ enrollment: { sequenceId: "301", agoMs: 1_000 }, properties });
    expect(result).toMatchObject({
      to: "UNCERTAIN",
      problem: expect.stringContaining("counts an enrollment"),
    });
  });

  test.each([
    new HubSpotUnavailable("HubSpot answered 503", {}),
    new HubSpotRejected({ httpStatus: 403, category: "MISSING_SCOPES", message: "no" }),
  ])("and cannot be read: nothing is known, so it is read again", async (enrollment) => {
    expect(await refused({ enrollment })).toMatchObject({ to: "UNCERTAIN" });
  });
});
