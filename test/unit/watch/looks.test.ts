import { describe, expect, test } from "@jest/globals";
import type { SequenceFacts } from "#domain/contract/sequence-facts.js";
import type { WatchedExecution } from "#domain/executions/watch.js";
import { judgeLook, type LookEvidence } from "#worker/watch/judge-look.js";

const NOW = new Date("2026-11-26T12:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

const NOTHING_KNOWN: SequenceFacts = {
  isEnrolled: false,
  sequenceId: undefined,
  enrolledAt: undefined,
  endedAt: undefined,
  finishedAt: undefined,
  unenrolledAt: undefined,
  repliedAt: undefined,
};

/** A contact that a step came for two hours ago, and that may wait for a day more. */
function look(
  told: Partial<SequenceFacts> | undefined,
  {
    execution = {},
    evidence = {},
  }: { execution?: Partial<WatchedExecution>; evidence?: Partial<LookEvidence> } = {},
) {
  const watched: WatchedExecution = {
    id: 1n,
    kind: "WAIT_FOR_SEQUENCE_END",
    callbackId: "c",
    contactId: "9",
    acceptedAt: ago(2 * HOUR),
    deadlineAt: ago(-DAY),
    dueAt: NOW,
    maxWaitDays: undefined,
    isUnenrolling: false,
    seen: {},
    ...execution,
  };
  const facts = told && { ...NOTHING_KNOWN, ...told };
  return judgeLook(watched, { facts, own: undefined, now: NOW, portalId: 0n, ...evidence });
}

function outputsOf(result: ReturnType<typeof look>) {
  return result.to === "DECIDED" ? result.outcome.outputs : result;
}

/** What is noted with a contact that goes on waiting. */
const seenOf = (result: ReturnType<typeof look>) =>
  result.to === "WATCHING" ? result.seen : `it is ${result.to}`;

const enrolledAt = ago(49 * HOUR);
const inSequence = { isEnrolled: true, sequenceId: "1", enrolledAt };
const seen = { sequence_id: "1", enrolled_at: enrolledAt.toISOString() };

describe("a contact that is in a sequence", () => {
  test("is noted with it and looked at again", () => {
    expect(look(inSequence)).toEqual({ to: "WATCHING", seen, dueAt: ago(-5 * MINUTE) });
    expect(seenOf(look({ isEnrolled: true }))).toEqual({});
  });

  test("is looked at no later than its time is up", () => {
    const soon = ago(-2 * MINUTE);
    expect(look(inSequence, { execution: { deadlineAt: soon } })).toMatchObject({ dueAt: soon });
    const justAfter = ago(-5 * MINUTE - 1);
    expect(look(inSequence, { execution: { deadlineAt: justAfter } })).toMatchObject({
      dueAt: ago(-5 * MINUTE),
    });
  });

  test("is timed out at its deadline, with the whole days it has been enrolled", () => {
    const outputs = { outcome: "TIMED_OUT", days_enrolled: "2", sequence_id: "1" };
    expect(outputsOf(look(inSequence, { execution: { deadlineAt: NOW } }))).toEqual(outputs);
    expect(look(inSequence, { execution: { deadlineAt: ago(-1) } })).toMatchObject({ to: "WATCHING" });
    expect(outputsOf(look({ isEnrolled: true }, { execution: { deadlineAt: NOW } }))).toEqual({
      outcome: "TIMED_OUT",
      days_enrolled: "",
      sequence_id: "",
    });
  });

  test("is timed out after the step's own days, counted from the call", () => {
    const execution = { acceptedAt: ago(3 * DAY), maxWaitDays: 3 };
    expect(outputsOf(look(inSequence, { execution }))).toMatchObject({ outcome: "TIMED_OUT" });
    const later = { acceptedAt: ago(3 * DAY - 1), maxWaitDays: 3 };
    expect(look(inSequence, { execution: later })).toMatchObject({ to: "WATCHING", dueAt: ago(-1) });
    // The deadline comes first.
    expect(outputsOf(look(inSequence, { execution: { maxWaitDays: 30, deadlineAt: NOW } }))).toMatchObject({
      outcome: "TIMED_OUT",
    });
  });

  test("has ended the first sequence if it came into another one since", () => {
    const other = { isEnrolled: true, sequenceId: "2", enrolledAt: ago(HOUR) };
    const endedAt = ago(25 * HOUR);
    expect(outputsOf(look({ ...other, endedAt }, { execution: { seen } }))).toEqual({
      outcome: "UNENROLLED",
      ended_at: endedAt.toISOString(),
      days_enrolled: "1",
      sequence_id: "1",
    });
    const before = { ...other, endedAt: ago(50 * HOUR) };
    expect(look(before, { execution: { seen } })).toMatchObject({ to: "WATCHING", seen });
    // Still the one it was seen in: what ended is an earlier one.
    expect(look({ ...inSequence, endedAt }, { execution: { seen } })).toMatchObject({ to: "WATCHING", seen });
  });

  test("is not taken for seen in a sequence before the one we enrolled it in", () => {
    const own = { sequenceId: "7", enrolledAt: ago(MINUTE) };
    expect(seenOf(look(inSequence, { evidence: { own } }))).toEqual({});
    const shown = { isEnrolled: true, sequenceId: "7", enrolledAt: ago(MINUTE + 5 * SECOND) };
    expect(look(shown, { evidence: { own } })).toMatchObject({ seen: { sequence_id: "7" } });
    const tooEarly = { ...shown, enrolledAt: ago(MINUTE + 5 * SECOND + 1) };
    expect(seenOf(look(tooEarly, { evidence: { own } }))).toEqual({});
  });
});

describe("a contact that is in no sequence", () => {
  test("was not enrolled if nothing is known of it and the properties had time to show", () => {
    expect(outputsOf(look({}))).toEqual({ outcome: "NOT_ENROLLED" });
    const minuteAgo = { acceptedAt: ago(MINUTE) };
    expect(outputsOf(look({}, { execution: minuteAgo }))).toEqual({ outcome: "NOT_ENROLLED" });
  });

  test("is looked at again within the first minute, and as long as our own enrollment may not show", () => {
    const young = { acceptedAt: ago(MINUTE - 1) };
    expect(seenOf(look({}, { execution: young }))).toEqual({});
    expect(outputsOf(look({}, { execution: { ...young, deadlineAt: NOW } }))).toEqual({
      outcome: "NOT_ENROLLED",
    });
    const own = { sequenceId: "7", enrolledAt: ago(10 * MINUTE - 1) };
    expect(look({}, { evidence: { own } })).toMatchObject({ to: "WATCHING" });
    const longAgo = { ...own, enrolledAt: ago(10 * MINUTE) };
    expect(outputsOf(look({}, { evidence: { own: longAgo } }))).toEqual({ outcome: "NOT_ENROLLED" });
    const shown = { sequenceId: "7", enrolledAt: own.enrolledAt };
    expect(outputsOf(look(shown, { evidence: { own } }))).toEqual({ outcome: "NOT_ENROLLED" });
  });

  test("has ended the sequence that it was in when the step came, clocks within five seconds", () => {
    const endedAt = ago(2 * HOUR + 5 * SECOND);
    const told = { sequenceId: "1", enrolledAt, endedAt };
    expect(outputsOf(look(told))).toEqual({
      outcome: "UNENROLLED",
      ended_at: endedAt.toISOString(),
      days_enrolled: "1",
      sequence_id: "1",
    });
    expect(outputsOf(look({ ...told, endedAt: ago(2 * HOUR + 5 * SECOND + 1) }))).toEqual({
      outcome: "NOT_ENROLLED",
    });
    expect(outputsOf(look({ endedAt, finishedAt: endedAt }))).toEqual({
      outcome: "FINISHED",
      ended_at: endedAt.toISOString(),
      days_enrolled: "",
      sequence_id: "",
    });
  });

  test("has ended what we enrolled it in up to ten minutes before the step", () => {
    const own = { sequenceId: "7", enrolledAt: ago(2 * HOUR + 10 * MINUTE) };
    const endedAt = ago(2 * HOUR + 9 * MINUTE);
    expect(outputsOf(look({ endedAt }, { evidence: { own } }))).toEqual({
      outcome: "UNENROLLED",
      ended_at: endedAt.toISOString(),
      days_enrolled: "0",
      sequence_id: "7",
    });
    const earlier = { ...own, enrolledAt: ago(2 * HOUR + 10 * MINUTE + 1) };
    expect(outputsOf(look({ endedAt }, { evidence: { own: earlier } }))).toEqual({ outcome: "NOT_ENROLLED" });
  });

  test("and was seen in one, is looked at once more for how it left, then has left when that was seen", () => {
    const left = { ...seen, left_at: NOW.toISOString() };
    expect(look({}, { execution: { seen } })).toMatchObject({ to: "WATCHING", seen: left });
    const leftAt = ago(HOUR).toISOString();
    expect(outputsOf(look({}, { execution: { seen: { ...seen, left_at: leftAt } } }))).toEqual({
      outcome: "UNENROLLED",
      ended_at: leftAt,
      days_enrolled: "2",
      sequence_id: "1",
    });
  });
});

describe("a contact that we are taking out of its sequence", () => {
  test.each<Partial<WatchedExecution>>([{ isUnenrolling: true }, { kind: "UNENROLL" }])(
    "is left to that until its deadline, whatever it is in: %j",
    (execution) => {
      const deadlineAt = ago(-1);
      for (const told of [inSequence, {}])
        expect(look(told, { execution: { ...execution, deadlineAt, seen } })).toEqual({
          to: "WATCHING",
          dueAt: deadlineAt,
          seen,
        });
      const result = look(inSequence, { execution: { ...execution, deadlineAt: NOW } });
      expect(result.to === "DECIDED" && result.outcome.errorCode).toBe("DEADLINE_EXCEEDED");
    },
  );
});

test("a contact that is gone is not found", () => {
  const result = look(undefined);
  expect(result.to === "DECIDED" && result.outcome.errorCode).toBe("CONTACT_NOT_FOUND");
});

describe("an enrollment that waits for its contact's sequence", () => {
  const execution = { kind: "ENROLL", seen } as const;

  test("goes on as soon as the contact is in none", () => {
    expect(look({}, { execution })).toEqual({ to: "QUEUED" });
  });

  test("waits while it is in one, until the deadline alone", () => {
    const waits = { ...execution, maxWaitDays: 0 };
    expect(look(inSequence, { execution: waits })).toEqual({
      to: "WATCHING",
      seen: {},
      dueAt: ago(-5 * MINUTE),
    });
    const result = look(inSequence, { execution: { ...execution, deadlineAt: NOW } });
    expect(result.to === "DECIDED" && result.outcome).toMatchObject({
      errorCode: "ALREADY_ENROLLED",
      executionState: "FAIL_CONTINUE",
    });
  });
});
