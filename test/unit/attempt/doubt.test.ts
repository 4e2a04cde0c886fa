import { describe, expect, test } from "@jest/globals";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import type { CurrentEnrollment, PortalGateway } from "#platform/hubspot/gateway.js";
import type { HubSpotClock } from "#platform/hubspot/hubspot-clock.js";
import {
  BELIEVE_NONE_AFTER_MS as BELIEVED_IN_LIFE_MS,
  doubtedForMs,
  judgeDoubt,
  type Judgement,
} from "#worker/attempt/doubt.js";
import { clockOf } from "../../support/hubspot-clock.js";

const NOW_MS = Date.UTC(2026, 10, 20, 12);
const BELIEVE_NONE_AFTER_MS = 110_000;
const ago = (ms: number): Date => new Date(NOW_MS - ms);
const FIRST_SENT_AGO_MS = 600_000;

const EXECUTION = {
  state: "UNCERTAIN",
  contactId: "1001",
  sequenceId: "300",
  request: { senderMode: "contact_owner" },
  firstSentAt: ago(FIRST_SENT_AGO_MS),
  doubtedAt: ago(BELIEVE_NONE_AFTER_MS),
  firstAttemptMs: performance.now() - FIRST_SENT_AGO_MS,
} as unknown as ClaimedExecution;

interface Shown {
  enrollment?: Partial<CurrentEnrollment>;
  properties?: Record<string, string | null>;
  execution?: Partial<ClaimedExecution>;
  clock?: HubSpotClock;
  believeNoneAfterMs?: number;
}

function judge({
  enrollment,
  properties = {},
  execution = {},
  clock = clockOf(() => NOW_MS),
  believeNoneAfterMs = BELIEVE_NONE_AFTER_MS,
}: Shown): Promise<Judgement> {
  const found = enrollment && {
    id: "60",
    sequenceId: "300",
    sequenceName: null,
    enrolledBy: "7",
    enrolledByEmail: "a@b.c",
    enrolledAt: ago(0),
    ...enrollment,
  };
  const gateway = { readEnrollment: () => Promise.resolve(found) } as unknown as PortalGateway;
  const readProperties = () => Promise.resolve(properties);
  const doubts = { clock, believeNoneAfterMs, readProperties };
  return judgeDoubt({ ...EXECUTION, ...execution }, { gateway, doubts });
}

/** What a contact's properties say of its latest sequence. */
function latest(sequenceId: string, enrolledAt: Date, isEnrolled = false): Record<string, string> {
  return {
    hs_sequences_is_enrolled: String(isEnrolled),
    hs_latest_sequence_enrolled: sequenceId,
    hs_latest_sequence_enrolled_date: enrolledAt.toISOString(),
  };
}

describe("an enrollment is ours", () => {
  test("up to five seconds before our first request, as clocks differ, and not before", async () => {
    const enrolledAt = (ms: number) => ({ enrollment: { enrolledAt: ago(FIRST_SENT_AGO_MS + ms) } });
    expect(await judge(enrolledAt(4_000))).toMatchObject({ is: "ours", outcome: { enrollmentId: "60" } });
    expect(await judge(enrolledAt(6_000))).toMatchObject({ is: "anothers" });
  });

  test("even if only the contact's properties show it, by the same bound", async () => {
    const known = (ms: number) => ({ properties: latest("300", ago(FIRST_SENT_AGO_MS + ms)) });
    expect(await judge(known(4_000))).toMatchObject({
      is: "ours",
      outcome: { enrollmentStatus: "ENROLLED", enrolledAt: ago(FIRST_SENT_AGO_MS + 4_000) },
    });
    expect(await judge(known(6_000))).toMatchObject({ is: "none", believedInMs: 0 });
  });

  test("by the database's time, brought to HubSpot's clock, if that was not noted", async () => {
    const execution = { firstSentAt: undefined, firstAttemptMs: performance.now() - 60_000 };
    expect(await judge({ execution, enrollment: { enrolledAt: ago(64_000) } })).toMatchObject({ is: "ours" });
    expect(await judge({ execution, enrollment: { enrolledAt: ago(66_500) } })).toMatchObject({
      is: "anothers",
    });
  });

  test("not if the call showed it already: it is from before anything was sent, however clocks differ", async () => {
    const shownBefore = ago(FIRST_SENT_AGO_MS + 1_000);
    const newer = new Date(shownBefore.getTime() + 500);
    for (const kept of ["properties", "sequencesBefore"]) {
      const request = { senderMode: "contact_owner", [kept]: latest("300", shownBefore) } as const;
      const shown = (enrolledAt: Date) => judge({ execution: { request }, enrollment: { enrolledAt } });
      expect(await shown(shownBefore)).toMatchObject({ is: "anothers" });
      expect(await shown(newer)).toMatchObject({ is: "ours" });
      const known = { execution: { request }, properties: latest("300", shownBefore) };
      expect(await judge(known)).toMatchObject({ is: "none" });
    }
  });

  test("not by a date that is still to come: of that it is not known when it was", async () => {
    const tomorrow = ago(-2 * 86_400_000);
    expect(await judge({ enrollment: { enrolledAt: tomorrow } })).toMatchObject({ is: "anothers" });
    expect(await judge({ properties: latest("300", tomorrow) })).toMatchObject({ is: "none" });
  });

  test("with whom HubSpot names as its sender, if it names one that we can", async () => {
    const senderOf = async (enrolledBy: string | null, enrolledByEmail: string | null = "a@b.c") => {
      const judged = await judge({
        enrollment: { enrolledBy, enrolledByEmail },
      });
      return judged.is === "ours" ? judged.outcome.sender : judged.is;
    };
    expect(await senderOf("7")).toEqual({ userId: 7n, email: "a@b.c" });
    expect(await senderOf("12")).toEqual({ userId: 12n, email: "a@b.c" });
    for (const none of ["somebody", "x7", "7x", ""]) expect(await senderOf(none)).toBeUndefined();
    expect(await senderOf(null)).toBeUndefined();
    expect(await senderOf("7", null)).toBeUndefined();
  });

  test("with the name that HubSpot has for its sequence, if it has one", async () => {
    const outcomeOf = async (sequenceName: string | null) => {
      const judged = await judge({ enrollment: { sequenceName } });
      return judged.is === "ours" ? judged.outcome : judged;
    };
    expect(await outcomeOf("Trial")).toMatchObject({ sequenceName: "Trial" });
    expect(await outcomeOf(null)).not.toHaveProperty("sequenceName");
  });

  test("only in our sequence", async () => {
    expect(await judge({ enrollment: { sequenceId: "301" } })).toMatchObject({ is: "anothers" });
    expect(await judge({ properties: latest("301", ago(0)) })).toMatchObject({ is: "none" });
  });
});

describe("that there is none of ours is believed", () => {
  test("when HubSpot has had the time to show it, by its own clock", async () => {
    const doubted = (ms: number) => judge({ execution: { doubtedAt: ago(BELIEVE_NONE_AFTER_MS - ms) } });
    expect(await doubted(0)).toEqual({ is: "none", believedInMs: 0 });
    const early = await doubted(1_000);
    expect(early).toMatchObject({ is: "none" });
    expect("believedInMs" in early && early.believedInMs).toBeCloseTo(1_000, -2);
  });

  test("no sooner where another's is shown: ours may have ended before it, or may come after it", async () => {
    const shown = { enrollment: { sequenceId: "301" }, execution: { doubtedAt: ago(10_000) } };
    expect(await judge(shown)).toMatchObject({ is: "anothers", believedInMs: expect.any(Number) });
    expect(await judge(shown)).not.toMatchObject({ believedInMs: 0 });
  });

  test("a request's time and the properties' lag after it was given up", () => {
    expect(BELIEVED_IN_LIFE_MS).toBe(BELIEVE_NONE_AFTER_MS);
  });

  test("by what HubSpot counts only where it sends a count", async () => {
    const before = { hs_sequences_enrolled_count: "2", ...latest("301", ago(9e8)) };
    const execution = { request: { senderMode: "contact_owner", properties: before } } as const;
    expect(await judge({ execution, properties: latest("301", ago(9e8)) })).toEqual({
      is: "none",
      believedInMs: 0,
    });
  });

  test("not yet where it is not known since when it is in doubt", async () => {
    expect(await judge({ execution: { doubtedAt: undefined } })).toEqual({
      is: "none",
      believedInMs: BELIEVE_NONE_AFTER_MS,
    });
  });

  test("not yet, and never at once, while HubSpot's time is not known", async () => {
    const clock: HubSpotClock = { at: () => undefined };
    const judged = (believeNoneAfterMs: number) =>
      judge({ clock, believeNoneAfterMs, execution: { firstSentAt: undefined } });
    expect(await judged(BELIEVE_NONE_AFTER_MS)).toEqual({ is: "none", believedInMs: BELIEVE_NONE_AFTER_MS });
    expect(await judged(0)).toEqual({ is: "none", believedInMs: 1 });
  });

  test("at once of what is attempted and was never in doubt: each request before was answered", async () => {
    const execution = { state: "ATTEMPTING", doubtedAt: undefined } as const;
    expect(await judge({ execution })).toEqual({ is: "none", believedInMs: 0 });
  });

  test("never by time alone where HubSpot counts an enrollment more than it shows", async () => {
    const before = { hs_sequences_enrolled_count: "2", ...latest("300", ago(9e8)) };
    const execution = { request: { senderMode: "contact_owner", properties: before } } as const;
    const counted = (count: string, shown: Record<string, string>) =>
      judge({ execution, properties: { ...shown, hs_sequences_enrolled_count: count } });
    const another = latest("301", ago(1_000));
    expect(await counted("2", before)).toEqual({ is: "none", believedInMs: 0 });
    expect(await counted("3", before)).toEqual({ is: "none", believedInMs: undefined });
    expect(await counted("3", another)).toEqual({ is: "none", believedInMs: 0 });
    expect(await counted("4", another)).toEqual({ is: "none", believedInMs: undefined });
    const undated = { ...another, hs_latest_sequence_enrolled_date: "99999999999999999" };
    expect(await counted("3", undated)).toEqual({ is: "none", believedInMs: undefined });
    // Others made two while the contact waited, both before our first request.
    const whileItWaited = latest("301", ago(FIRST_SENT_AGO_MS + 60_000));
    expect(await counted("4", whileItWaited)).toEqual({ is: "none", believedInMs: 0 });
  });

  test("so also of a contact that never was in a sequence before, of which HubSpot sends no count", async () => {
    const execution = { request: { senderMode: "contact_owner", properties: { email: "a@b.c" } } } as const;
    const counted = (count: string, at: Date) =>
      judge({ execution, properties: { ...latest("301", at), hs_sequences_enrolled_count: count } });
    expect(await counted("2", ago(1_000))).toEqual({ is: "none", believedInMs: undefined });
    expect(await counted("1", ago(1_000))).toEqual({ is: "none", believedInMs: 0 });
    // All of them from before our first request: the call was not asked to bring the count.
    expect(await counted("2", ago(FIRST_SENT_AGO_MS + 60_000))).toEqual({ is: "none", believedInMs: 0 });
  });

  test("at once where HubSpot counts nothing, or where what the call brought begins no count", async () => {
    const counted = (
      request: Partial<ClaimedExecution["request"]>,
      count: string | undefined,
      at = ago(1_000),
    ): Promise<Judgement> =>
      judge({
        execution: { request: { senderMode: "contact_owner", ...request } },
        properties: {
          ...latest("301", at),
          ...(count === undefined ? {} : { hs_sequences_enrolled_count: count }),
        },
      });
    const known = { is: "none", believedInMs: 0 };
    const [bare, wasInOne] = [{ email: "a@b.c" }, latest("300", ago(9e8))];
    expect(
      await counted({ properties: { hs_sequences_enrolled_count: "2", ...wasInOne } }, undefined),
    ).toEqual(known);
    expect(await counted({ properties: bare }, undefined)).toEqual(known);
    expect(await counted({ properties: bare }, "")).toEqual(known);
    // The call brought no properties at all, so that it is no contact without a sequence of which it tells.
    expect(await counted({}, "7")).toEqual(known);
    // It was in a sequence, and the call was not asked to bring the count.
    expect(await counted({ properties: wasInOne }, "7")).toEqual(known);
    // It was in none when the call came, and what HubSpot shows as the latest was before our first request.
    expect(await counted({ properties: bare }, "7", ago(FIRST_SENT_AGO_MS + 60_000))).toEqual(known);
    // It was in none, and HubSpot shows none of those that it counts: the call's figures began no count to go by.
    expect(
      await judge({
        execution: { request: { senderMode: "contact_owner", properties: bare } },
        properties: { hs_sequences_enrolled_count: "7" },
      }),
    ).toEqual(known);
    // An empty count is no zero.
    expect(await counted({ properties: { hs_sequences_enrolled_count: "", ...wasInOne } }, "7")).toEqual(
      known,
    );
  });

  test("never by time alone where the latest enrollment is of the very moment from which on it may be ours", async () => {
    const before = { hs_sequences_enrolled_count: "2", ...latest("300", ago(9e8)) };
    const execution = { request: { senderMode: "contact_owner", properties: before } } as const;
    const judged = (at: Date) =>
      judge({ execution, properties: { ...latest("301", at), hs_sequences_enrolled_count: "4" } });
    expect(await judged(ago(FIRST_SENT_AGO_MS + 5_000))).toEqual({ is: "none", believedInMs: undefined });
    expect(await judged(ago(FIRST_SENT_AGO_MS + 5_001))).toEqual({ is: "none", believedInMs: 0 });
  });

  test("but of a retry whose family never was in doubt at once, whatever HubSpot counts", async () => {
    const before = { hs_sequences_enrolled_count: "2", ...latest("301", ago(9e8)) };
    const request = { senderMode: "contact_owner", sequencesBefore: before } as const;
    const properties = { ...before, hs_sequences_enrolled_count: "9" };
    const judged = (doubtedAt: Date) => judge({ execution: { request, doubtedAt }, properties });
    expect(await judged(new Date(0))).toEqual({ is: "none", believedInMs: 0 });
    expect(await judged(ago(900_000))).toEqual({ is: "none", believedInMs: undefined });
  });
});

describe("another's is shown", () => {
  test("while it runs, by the lookup or by the properties, and not once it has ended", async () => {
    const older = ago(9e8);
    const byLookup = { enrollment: { enrolledAt: older } };
    expect(await judge(byLookup)).toMatchObject({ is: "anothers" });
    expect(await judge({ properties: latest("300", older, true) })).toMatchObject({ is: "anothers" });
    const ended = { ...byLookup, properties: latest("300", older, false) };
    expect(await judge(ended)).toMatchObject({ is: "none" });
  });
});

test("a doubt is as old as HubSpot's clock tells, and not old at all while one of the two is not known", () => {
  const age = (doubtedAt: Date | undefined, now: Date | undefined) =>
    doubtedForMs({ ...EXECUTION, doubtedAt }, now);
  const now = ago(0);
  expect([age(ago(5_000), now), age(ago(-5_000), now), age(undefined, now), age(now, undefined)]).toEqual([
    5_000, 0, 0, 0,
  ]);
});
