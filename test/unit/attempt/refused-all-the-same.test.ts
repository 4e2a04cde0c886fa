import { expect, test } from "@jest/globals";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { afterFailure } from "#worker/attempt/after-request.js";
import type { EnrollContext } from "#worker/attempt/enroll-context.js";
import { clockOf } from "../../support/hubspot-clock.js";

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

interface Refused {
  httpStatus: number;
  /** Whether an earlier request for the contact had no answer. */
  isInDoubt: boolean;
  /** The running enrollment that HubSpot shows; a fault is thrown. */
  enrollment?: { sequenceId: string; agoMs: number } | Error;
  properties?: Record<string, string>;
  ifAlreadyEnrolled?: "skip" | "wait";
  message?: string;
}

/** HubSpot refuses an enroll request, first sent a minute ago, in words that say nothing of an enrollment. */
function refused({
  httpStatus,
  isInDoubt,
  enrollment,
  properties = {},
  ifAlreadyEnrolled = "skip",
  message = "The request could not be processed.",
}: Refused) {
  const execution = {
    state: "ATTEMPTING",
    contactId: "1",
    sequenceId: "300",
    retries: 0,
    request: { senderMode: "contact_owner", properties: { hs_sequences_enrolled_count: "1" } },
    firstSentAt: new Date(ago(60_000)),
    doubtedAt: isInDoubt ? new Date(ago(50_000)) : undefined,
    deadlineMs: performance.now() + 3_600_000,
  } as unknown as ClaimedExecution;
  let readings = 0;
  const readEnrollment = () => {
    readings += 1;
    if (enrollment instanceof Error) return Promise.reject(enrollment);
    if (enrollment === undefined) return Promise.resolve(undefined);
    const { sequenceId, agoMs } = enrollment;
    return Promise.resolve({ id: "60", sequenceId, sequenceName: null, enrolledAt: new Date(ago(agoMs)) });
  };
  const context = {
    gateway: { readEnrollment, readContact: () => Promise.resolve({}) },
    doubts: {
      clock: clockOf(),
      believeNoneAfterMs: 40_000,
      readProperties: () => Promise.resolve(properties),
    },
  } as unknown as EnrollContext;
  const fault = new HubSpotRejected({
    httpStatus,
    category: undefined,
    message,
  });
  const sender = { userId: 7n, email: "a@b.example" };
  return afterFailure(fault, { execution, policy: { ifAlreadyEnrolled }, sender, context }).then(
    (result) => ({
      result,
      readings,
    }),
  );
}

const OURS = { sequenceId: "300", agoMs: 55_000 };
const ANOTHERS = { sequenceId: "301", agoMs: 900_000 };
const told = (enrollmentStatus: string) => ({ to: "DECIDED", outcome: { enrollmentStatus } });

test.each([400, 404, 409])(
  "a contact whose earlier request had no answer, and that is refused by a %i, counts as enrolled where HubSpot shows it",
  async (httpStatus) => {
    const shown = await refused({ httpStatus, isInDoubt: true, enrollment: OURS });
    expect(shown.result).toMatchObject(told("ENROLLED"));
    const properties = {
      hs_latest_sequence_enrolled: "300",
      hs_latest_sequence_enrolled_date: ago(55_000),
      hs_sequences_enrolled_count: "2",
    };
    const ended = await refused({ httpStatus, isInDoubt: true, properties });
    expect(ended.result).toMatchObject(told("ENROLLED"));
  },
);

test.each([400, 409])("where HubSpot shows none, a refusal by a %i is believed", async (httpStatus) => {
  const { result } = await refused({ httpStatus, isInDoubt: true });
  expect(result).toMatchObject(told("FAILED"));
});

test("a refusal of the sender hands on to the next only a contact that the unanswered request did not enroll", async () => {
  const message = "The sender has no connected inbox.";
  const shown = await refused({ httpStatus: 400, isInDoubt: true, message, enrollment: OURS });
  expect(shown.result).toMatchObject(told("ENROLLED"));
  const none = await refused({ httpStatus: 400, isInDoubt: true, message });
  expect(none.result).toMatchObject({ to: "NEXT_SENDER" });
  const { readings } = await refused({ httpStatus: 400, isInDoubt: false, message, enrollment: OURS });
  expect(readings).toBe(0);
});

test("where HubSpot cannot be read, the doubt stays", async () => {
  const enrollment = new HubSpotUnavailable("HubSpot answered 503", {});
  const { result } = await refused({ httpStatus: 400, isInDoubt: true, enrollment });
  expect(result).toMatchObject({ to: "UNCERTAIN" });
});

test("a refusal whose requests were all answered costs no reading, unless it is a conflict", async () => {
  const { result, readings } = await refused({ httpStatus: 400, isInDoubt: false, enrollment: OURS });
  expect(result).toMatchObject(told("FAILED"));
  expect(readings).toBe(0);
});

test("a conflict in unknown words is read: the contact is in another sequence, or was enrolled by us after all", async () => {
  const conflict = { httpStatus: 409, isInDoubt: false };
  expect((await refused({ ...conflict, enrollment: ANOTHERS })).result).toMatchObject(
    told("ALREADY_ENROLLED"),
  );
  const waits = await refused({ ...conflict, enrollment: ANOTHERS, ifAlreadyEnrolled: "wait" });
  expect(waits.result).toMatchObject({ to: "WATCHING" });
  expect((await refused({ ...conflict, enrollment: OURS })).result).toMatchObject(told("ENROLLED"));
  expect((await refused(conflict)).result).toMatchObject(told("FAILED"));
});
