import { describe, expect, test } from "@jest/globals";
import type { SequenceFacts } from "#domain/contract/sequence-facts.js";
import { judgeEnrollment, type OpenEnrollment } from "#domain/ends/judge-enrollment.js";

const NOW = new Date("2026-11-27T12:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ago = (ms: number): Date => new Date(NOW.getTime() - ms);

const NOTHING: SequenceFacts = {
  isEnrolled: false,
  sequenceId: undefined,
  enrolledAt: undefined,
  endedAt: undefined,
  finishedAt: undefined,
  unenrolledAt: undefined,
  repliedAt: undefined,
};
const BEGAN = ago(2 * DAY);
/** The properties describe our enrollment. */
const OURS = { ...NOTHING, sequenceId: "51", enrolledAt: BEGAN };

/** An enrollment of two days ago; `told` undefined: the contact is gone. */
function look(told: Partial<SequenceFacts> | undefined, known: Partial<OpenEnrollment> = {}, now = NOW) {
  const enrollment: OpenEnrollment = {
    sequenceId: "51",
    enrolledAt: BEGAN,
    nextEnrolledAt: undefined,
    shownEnrolledAt: undefined,
    leftAt: undefined,
    nextLookAt: NOW,
    ...known,
  };
  return judgeEnrollment({ enrollment, facts: told && { ...NOTHING, ...told }, now, portalId: 0n });
}

/** "REPLIED 10" is a reply ten minutes ago. */
function said(...given: Parameters<typeof look>): string {
  const judged = look(...given);
  if (judged.kind === "ended")
    return `${judged.end.outcome} ${(NOW.getTime() - judged.end.at.getTime()) / MINUTE}`;
  return judged.kind === "lost"
    ? judged.because
    : `open ${(judged.nextLookAt.getTime() - NOW.getTime()) / MINUTE}`;
}

describe("an enrollment that its contact's properties describe", () => {
  test("is open while the contact is in it, and is looked at on the portal's grid", () => {
    expect(said({ ...OURS, isEnrolled: true })).toBe("open 60");
    expect(look({ ...OURS, isEnrolled: true })).toMatchObject({ shownEnrolledAt: BEGAN });
    const old = { enrolledAt: ago(20 * DAY) };
    expect(said({ ...OURS, ...old, isEnrolled: true }, old)).toBe("open 720");
  });

  test("goes to the look after the next one if it came along before its time", () => {
    expect(said({ ...OURS, isEnrolled: true }, { nextLookAt: ago(-60 * MINUTE) })).toBe("open 120");
  });

  test.each<[string, Partial<SequenceFacts>]>([
    ["FINISHED 10", { endedAt: ago(10 * MINUTE), finishedAt: ago(10 * MINUTE) }],
    ["REPLIED 10", { endedAt: ago(10 * MINUTE), repliedAt: ago(12 * MINUTE) }],
    ["UNENROLLED 10", { endedAt: ago(10 * MINUTE), unenrolledAt: ago(10 * MINUTE) }],
    ["UNENROLLED 10", { endedAt: ago(10 * MINUTE), finishedAt: ago(3 * DAY) }],
    // A reply may be told a moment after the end that it caused.
    ["open 2", { endedAt: ago(9 * MINUTE), unenrolledAt: ago(9 * MINUTE) }],
    ["REPLIED 9", { endedAt: ago(9 * MINUTE), unenrolledAt: ago(9 * MINUTE), repliedAt: ago(9 * MINUTE) }],
  ])("%s by %j", (expected, told) => {
    expect(said({ ...OURS, ...told })).toBe(expected);
  });

  test("is known by the property's own time from then on, however far HubSpot's answer was from it", () => {
    const shownEnrolledAt = ago(2 * DAY - 30_000);
    const told = { ...OURS, enrolledAt: shownEnrolledAt };
    expect(said({ ...told, endedAt: ago(HOUR) })).toBe("UNENROLLED 60");
    // An end half a minute before it, as the properties tell it, is of an earlier one.
    expect(said({ ...told, endedAt: ago(2 * DAY - 15_000) }, { shownEnrolledAt })).toBe("open 2");
  });

  test("is over ten minutes after the contact was first seen out of it, if HubSpot does not say how", () => {
    expect(look(OURS)).toMatchObject({ kind: "open", leftAt: NOW });
    expect(said(OURS, { leftAt: ago(9 * MINUTE) })).toBe("open 2");
    expect(said(OURS, { leftAt: ago(10 * MINUTE) })).toBe("UNENROLLED 10");
    expect(look({ ...OURS, isEnrolled: true }, { leftAt: ago(9 * MINUTE) })).not.toHaveProperty("leftAt");
  });
});

describe("an enrollment that the properties do not describe", () => {
  test("stays open, whatever they told before, for they follow late", () => {
    const earlier = {
      sequenceId: "7",
      enrolledAt: ago(9 * DAY),
      endedAt: ago(8 * DAY),
      finishedAt: ago(8 * DAY),
    };
    expect(said(earlier)).toBe("open 60");
  });

  test("is not taken for ended because somebody emptied them", () => {
    expect(said({})).toBe("open 60");
    expect(said({}, { shownEnrolledAt: BEGAN })).toBe("open 60");
  });

  test("is given up after 90 days, but not if they tell its end then", () => {
    const enrolledAt = ago(90 * DAY);
    expect(said({}, { enrolledAt })).toBe("GIVEN_UP");
    expect(said({}, { enrolledAt: ago(90 * DAY - 1) })).toBe("open 720");
    expect(said({ ...OURS, enrolledAt, endedAt: ago(HOUR) }, { enrolledAt })).toBe("UNENROLLED 60");
  });

  test("is lost with its contact", () => {
    expect(said(undefined)).toBe("CONTACT_GONE");
  });
});

describe("a second enrollment in between", () => {
  const second = { sequenceId: "7", enrolledAt: ago(HOUR), isEnrolled: true };

  test("leaves the end that the properties still tell to the first", () => {
    expect(said({ ...second, endedAt: ago(2 * HOUR) })).toBe("UNENROLLED 120");
    expect(said({ ...second, endedAt: ago(2 * HOUR), repliedAt: ago(2 * HOUR) })).toBe("REPLIED 120");
  });

  test("keeps its own end from the first, of which another date may still tell", () => {
    const ended = { ...second, isEnrolled: false, endedAt: ago(MINUTE), unenrolledAt: ago(MINUTE) };
    expect(said({ ...ended, finishedAt: ago(3 * HOUR) })).toBe("FINISHED 180");
    expect(said(ended)).toBe("OVERTAKEN");
  });

  test("is waited out for ten minutes: the first one's end may be written after it", () => {
    expect(said({ ...second, enrolledAt: ago(9 * MINUTE) })).toBe("open 2");
    expect(said({ ...second, enrolledAt: ago(10 * MINUTE) })).toBe("OVERTAKEN");
  });

  test("that we made in the same sequence seconds later is not taken for the first", () => {
    const nextEnrolledAt = new Date(BEGAN.getTime() + 20_000);
    const told = { ...OURS, enrolledAt: nextEnrolledAt, endedAt: ago(HOUR), finishedAt: ago(HOUR) };
    expect(said(told, { nextEnrolledAt })).toBe("OVERTAKEN");
    expect(said(told, { enrolledAt: nextEnrolledAt })).toBe("FINISHED 60");
  });

  test("that we made and that the properties do not show yet bounds the first", () => {
    expect(said({ ...OURS, isEnrolled: false, endedAt: ago(HOUR) }, { nextEnrolledAt: ago(MINUTE) })).toBe(
      "UNENROLLED 60",
    );
  });
});
