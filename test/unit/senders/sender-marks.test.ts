import { describe, expect, test } from "@jest/globals";
import {
  LIMITED_FOR_MS,
  PROBE_AFTER_MS,
  SENDER_REFUSALS,
  SenderBlocks,
} from "#domain/senders/sender-blocks.js";
import type { SenderPolicy } from "#domain/contract/sender-policy.js";

const BEGIN = Date.parse("2026-11-26T12:00:00Z");
const ADA = 7n;
const SENDER: SenderPolicy = {
  userId: ADA,
  isAllowed: true,
  sendAsEmail: null,
  senderAlias: null,
  dailyCap: 400,
  window: undefined,
  away: [],
  timeZone: "utc",
  refusal: undefined,
  limitedUntil: undefined,
};

describe("what HubSpot said of a sender", () => {
  function marksAt(clock: { ms: number }): SenderBlocks {
    return new SenderBlocks(() => new Date(clock.ms));
  }

  test("a refusal stands for an hour; then one contact probes, and no other meanwhile", () => {
    const clock = { ms: BEGIN };
    const marks = marksAt(clock);
    marks.refused(ADA, "INBOX_NOT_CONNECTED", "no inbox");
    clock.ms = BEGIN + PROBE_AFTER_MS - 1;
    expect(marks.stateOf(SENDER).kind).toBe("refused");
    clock.ms = BEGIN + PROBE_AFTER_MS;
    expect(marks.stateOf(SENDER).kind).toBe("probe");
    marks.startProbe(1n, ADA);
    expect(marks.stateOf(SENDER).kind).toBe("refused");
    marks.endProbe(1n);
    expect(marks.stateOf(SENDER).kind).toBe("probe");
  });

  test("a limit stands until its hour is over; while one contact probes the others look again soon", () => {
    const clock = { ms: BEGIN };
    const marks = marksAt(clock);
    marks.refused(ADA, "SENDER_LIMIT_REACHED", "enough");
    expect(marks.stateOf(SENDER)).toEqual({ kind: "limited", until: new Date(BEGIN + LIMITED_FOR_MS) });
    clock.ms = BEGIN + LIMITED_FOR_MS;
    expect(marks.stateOf(SENDER).kind).toBe("probe");
    marks.startProbe(1n, ADA);
    expect(marks.stateOf(SENDER)).toEqual({ kind: "limited", until: new Date(clock.ms + 30_000) });
  });

  test("the same refusal within a minute is no news; another one, or a minute later, is", () => {
    const clock = { ms: BEGIN };
    const marks = marksAt(clock);
    expect(marks.refused(ADA, "INBOX_NOT_CONNECTED", "")).toBe(true);
    expect(marks.refused(ADA, "INBOX_NOT_CONNECTED", "")).toBe(false);
    expect(marks.refused(ADA, "SENDER_NOT_PERMITTED", "")).toBe(true);
    clock.ms += 60_000;
    expect(marks.refused(ADA, "SENDER_NOT_PERMITTED", "")).toBe(true);
    expect(marks.refused(ADA, "SENDER_LIMIT_REACHED", "")).toBe(true);
    expect(marks.refused(ADA, "SENDER_LIMIT_REACHED", "")).toBe(false);
    clock.ms += 60_000;
    expect(marks.refused(ADA, "SENDER_LIMIT_REACHED", "")).toBe(true);
  });

  test("a mark of this turn counts more than what was read, until the sender is read again after it was stored", () => {
    const marks = marksAt({ ms: BEGIN });
    marks.refused(ADA, "INBOX_NOT_CONNECTED", "");
    // Not stored yet: a read says nothing of it.
    marks.readAgain(performance.now() + 1_000);
    expect(marks.stateOf(SENDER).kind).toBe("refused");
    const before = performance.now() - 1_000;
    marks.stored(ADA);
    marks.readAgain(before);
    expect(marks.stateOf(SENDER).kind).toBe("refused");
    marks.readAgain(performance.now() + 1_000);
    expect(marks.stateOf(SENDER).kind).toBe("good");
  });

  test("a sender who has sent is good again at once, whatever was read of an earlier refusal", () => {
    const marks = marksAt({ ms: BEGIN });
    const refusal = { code: "INBOX_NOT_CONNECTED", message: "", at: new Date(BEGIN - 1_000) } as const;
    const read = { ...SENDER, refusal };
    expect(marks.stateOf(read).kind).toBe("refused");
    marks.cleared(ADA);
    expect(marks.stateOf(read).kind).toBe("good");
  });

  test("a refusal is told with HubSpot's words and from when it is, and is no limit", () => {
    const marks = marksAt({ ms: BEGIN });
    marks.refused(ADA, "INBOX_NOT_CONNECTED", "no inbox");
    const refusal = { code: "INBOX_NOT_CONNECTED", message: "no inbox", at: new Date(BEGIN) };
    expect(marks.stateOf(SENDER)).toEqual({ kind: "refused", refusal });
    expect(marks.of(SENDER)).toMatchObject({ refusal, limitedUntil: undefined });
    marks.refused(ADA, "SENDER_LIMIT_REACHED", "");
    expect(marks.of(SENDER)).toMatchObject({
      refusal: undefined,
      limitedUntil: new Date(BEGIN + LIMITED_FOR_MS),
    });
    expect(marks.of({ ...SENDER, userId: 8n })).toMatchObject({
      refusal: undefined,
      limitedUntil: undefined,
    });
  });

  test("a probe of one sender says nothing of another, and ends with its own execution", () => {
    const marks = marksAt({ ms: BEGIN });
    const limited = (userId: bigint) => ({ ...SENDER, userId, limitedUntil: new Date(BEGIN) });
    const kinds = () => [ADA, 8n].map((userId) => marks.stateOf(limited(userId)).kind);
    marks.startProbe(1n, ADA);
    expect(kinds()).toEqual(["limited", "probe"]);
    marks.startProbe(2n, 8n);
    marks.endProbe(1n);
    expect(kinds()).toEqual(["probe", "limited"]);
  });

  test("a first limit is news, also right after a sender has sent, and a refusal is news right after a limit", () => {
    const marks = marksAt({ ms: BEGIN });
    expect(marks.refused(ADA, "SENDER_LIMIT_REACHED", "")).toBe(true);
    marks.cleared(ADA);
    expect(marks.refused(ADA, "SENDER_LIMIT_REACHED", "")).toBe(true);
    expect(marks.refused(ADA, "INBOX_NOT_CONNECTED", "")).toBe(true);
  });

  test("a sender without a mark of this turn is as it was read, also after its mark is said to be stored", () => {
    const marks = marksAt({ ms: BEGIN });
    marks.stored(ADA);
    expect(marks.of(SENDER)).toBe(SENDER);
    expect(marks.stateOf(SENDER)).toEqual({ kind: "good" });
  });

  test("three codes of refusals concern the sender", () => {
    expect(SENDER_REFUSALS).toEqual(["INBOX_NOT_CONNECTED", "SENDER_NOT_PERMITTED", "SENDER_LIMIT_REACHED"]);
  });
});
