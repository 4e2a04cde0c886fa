import { describe, expect, test } from "@jest/globals";
import type { SequenceFacts } from "#domain/contract/sequence-facts.js";
import type { WatchedExecution } from "#domain/executions/watch.js";
import { judgeLook } from "#worker/watch/judge-look.js";

const NOW = new Date("2026-11-26T12:00:00Z");
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);
const HOUR = 3_600_000;
const ENROLLED_AT = ago(48 * HOUR);
const ENDED_AT = ago(2 * HOUR);

const EXECUTION: WatchedExecution = {
  id: 1n,
  kind: "WAIT_FOR_SEQUENCE_END",
  callbackId: "c",
  contactId: "9",
  acceptedAt: ago(24 * HOUR),
  deadlineAt: ago(-24 * HOUR),
  dueAt: NOW,
  maxWaitDays: 30,
  isUnenrolling: false,
  seen: { sequence_id: "1", enrolled_at: ENROLLED_AT.toISOString() },
};

/** A contact that has left the sequence it was seen in. */
function outcomeOf(told: Partial<SequenceFacts>): string | undefined {
  const facts: SequenceFacts = {
    isEnrolled: false,
    sequenceId: "1",
    enrolledAt: ENROLLED_AT,
    endedAt: ENDED_AT,
    finishedAt: undefined,
    unenrolledAt: undefined,
    repliedAt: undefined,
    ...told,
  };
  const result = judgeLook(EXECUTION, { facts, own: undefined, now: NOW, portalId: 1n });
  return result.to === "DECIDED" ? result.outcome.outputs?.["outcome"] : result.to;
}

describe("how a sequence ended", () => {
  test.each<[outcome: string, what: string, told: Partial<SequenceFacts>]>([
    ["FINISHED", "its finish", { finishedAt: ENDED_AT }],
    ["FINISHED", "its finish and its unenrollment at the same instant", at(ENDED_AT, ENDED_AT)],
    ["FINISHED", "its finish after an earlier unenrollment", at(ENDED_AT, ago(72 * HOUR))],
    ["UNENROLLED", "its unenrollment after its finish", at(ago(3 * HOUR), ENDED_AT)],
    ["UNENROLLED", "the finish of an earlier sequence", { finishedAt: ago(49 * HOUR) }],
    ["REPLIED", "a reply an hour before the end", { repliedAt: new Date(ENDED_AT.getTime() - HOUR) }],
    ["REPLIED", "a reply an hour after the end", { repliedAt: new Date(ENDED_AT.getTime() + HOUR) }],
    ["UNENROLLED", "a reply long before the end", { repliedAt: new Date(ENDED_AT.getTime() - HOUR - 1) }],
    ["UNENROLLED", "a reply from before the enrollment", { repliedAt: ago(49 * HOUR) }],
    ["UNENROLLED", "nothing but the end", {}],
  ])("is %s if HubSpot tells of %s", (outcome, _what, told) => {
    expect(outcomeOf(told)).toBe(outcome);
  });
});

function at(finishedAt: Date, unenrolledAt: Date): Partial<SequenceFacts> {
  return { finishedAt, unenrolledAt };
}
