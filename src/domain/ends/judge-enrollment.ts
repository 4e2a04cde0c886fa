import type { EnrollmentEnd } from "#domain/contract/enrollment-end.js";
import type { SequenceFacts } from "#domain/contract/sequence-facts.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { DAY_MS, MINUTE_MS } from "#platform/time/units.js";
import { endWithin, outcomeOfEnd, type EnrollmentStretch } from "./how-ended.js";
import { FOLLOWED_DAYS, nextRegularLook, nextSoonLook } from "./look-times.js";

/** Why no look will show how an enrollment ended: see `followed_enrollments.lost_because`. */
export type LostBecause = "CONTACT_GONE" | "OVERTAKEN" | "GIVEN_UP";

/** One of our enrollments whose end is not known. Times are HubSpot's, but for those of looks. */
export interface OpenEnrollment {
  readonly sequenceId: string | undefined;
  readonly enrolledAt: Date;
  /** When our next enrollment of the same contact began, if there was one. */
  readonly nextEnrolledAt: Date | undefined;
  readonly shownEnrolledAt: Date | undefined;
  readonly leftAt: Date | undefined;
  readonly nextLookAt: Date;
}

/** What a look at an enrollment found. `stretch`: in which what the contact did counts for it. */
export type Judged =
  | {
      readonly kind: "open";
      readonly nextLookAt: Date;
      readonly stretch: EnrollmentStretch;
      readonly shownEnrolledAt?: Date | undefined;
      readonly leftAt?: Date | undefined;
    }
  | {
      readonly kind: "ended";
      readonly end: EnrollmentEnd;
      readonly stretch: EnrollmentStretch;
      readonly shownEnrolledAt?: Date | undefined;
    }
  | { readonly kind: "lost"; readonly because: LostBecause };

/** HubSpot's answer to the enrollment and the contact's property may differ by this much. */
const NEAR_MS = MINUTE_MS;
/** What HubSpot still has to write is there after this long. */
const SETTLED_MS = 10 * MINUTE_MS;

interface Look {
  readonly enrollment: OpenEnrollment;
  readonly facts: SequenceFacts;
  readonly now: Date;
  readonly portalId: PortalId;
}

/**
 * What a contact's properties say about one of our enrollments. They describe the contact's latest enrollment, which
 * need not be ours, follow what happens by tens of seconds, and may be emptied: an end is reported only if something
 * shows it.
 *
 * @param look.facts undefined: HubSpot does not have the contact anymore.
 */
export function judgeEnrollment(look: {
  readonly enrollment: OpenEnrollment;
  readonly facts: SequenceFacts | undefined;
  readonly now: Date;
  readonly portalId: PortalId;
}): Judged {
  const { facts } = look;
  if (facts === undefined) return { kind: "lost", because: "CONTACT_GONE" };
  const judged = judge({ ...look, facts });
  const isOver = look.now.getTime() - look.enrollment.enrolledAt.getTime() >= FOLLOWED_DAYS * DAY_MS;
  return judged.kind === "open" && isOver ? { kind: "lost", because: "GIVEN_UP" } : judged;
}

function judge(look: Look): Judged {
  const { enrollment, facts } = look;
  const { nextEnrolledAt } = enrollment;
  switch (describedBy(look)) {
    case "this":
      return judgeShown(look, facts.enrolledAt as Date);
    case "later":
      return judgeOvertaken(look, earliest(facts.enrolledAt, nextEnrolledAt));
    case "earlier":
      if (nextEnrolledAt !== undefined) return judgeOvertaken(look, nextEnrolledAt);
      return open(look, { from: enrollment.enrolledAt });
  }
}

/** Which enrollment of the contact its properties describe, beside ours; undefined counts as an earlier one. */
function describedBy({ enrollment, facts }: Look): "earlier" | "this" | "later" {
  const { enrolledAt, nextEnrolledAt, shownEnrolledAt, sequenceId } = enrollment;
  const told = facts.enrolledAt?.getTime();
  if (told === undefined) return "earlier";
  if (shownEnrolledAt !== undefined) {
    if (told === shownEnrolledAt.getTime()) return "this";
    return told > shownEnrolledAt.getTime() ? "later" : "earlier";
  }
  const away = Math.abs(told - enrolledAt.getTime());
  const isNearest = nextEnrolledAt === undefined || away < Math.abs(told - nextEnrolledAt.getTime());
  const isSame =
    facts.sequenceId === undefined || sequenceId === undefined || facts.sequenceId === sequenceId;
  if (isSame && isNearest && away <= NEAR_MS) return "this";
  return told > enrolledAt.getTime() ? "later" : "earlier";
}

function earliest(one: Date | undefined, other: Date | undefined): Date {
  const known = [one, other].filter((date) => date !== undefined);
  return known.reduce((least, date) => (date < least ? date : least));
}

/** From the property's own time on: its dates are of one clock. */
function judgeShown(look: Look, shownEnrolledAt: Date): Judged {
  const { enrollment, facts, now, portalId } = look;
  const stretch: EnrollmentStretch = { from: shownEnrolledAt };
  if (facts.isEnrolled) return { ...open(look, stretch), shownEnrolledAt };
  const end = endWithin(stretch, facts);
  if (end !== undefined) {
    // A reply may be shown a moment after the end that it caused.
    const isSettled = end.outcome !== "UNENROLLED" || now.getTime() - end.at.getTime() >= SETTLED_MS;
    if (isSettled) return { kind: "ended", end, stretch, shownEnrolledAt };
    return { kind: "open", nextLookAt: nextSoonLook(now, portalId), stretch, shownEnrolledAt };
  }
  const leftAt = enrollment.leftAt ?? now;
  if (now.getTime() - leftAt.getTime() < SETTLED_MS)
    return { kind: "open", nextLookAt: nextSoonLook(now, portalId), stretch, shownEnrolledAt, leftAt };
  const outcome = outcomeOfEnd(leftAt, stretch, facts);
  return { kind: "ended", end: { at: leftAt, outcome }, stretch, shownEnrolledAt };
}

/** Another enrollment began at `until`: ours ended before, and the properties may still show how. */
function judgeOvertaken(look: Look, until: Date): Judged {
  const { enrollment, facts, now, portalId } = look;
  const stretch: EnrollmentStretch = { from: enrollment.shownEnrolledAt ?? enrollment.enrolledAt, until };
  const end = endWithin(stretch, facts);
  if (end !== undefined) return { kind: "ended", end, stretch };
  if (now.getTime() - until.getTime() < SETTLED_MS)
    return { kind: "open", nextLookAt: nextSoonLook(now, portalId), stretch };
  return { kind: "lost", because: "OVERTAKEN" };
}

function open({ enrollment, now, portalId }: Look, stretch: EnrollmentStretch): Judged & { kind: "open" } {
  const { nextLookAt: dueAt, enrolledAt } = enrollment;
  const after = dueAt > now ? dueAt : now;
  return { kind: "open", nextLookAt: nextRegularLook(after, enrolledAt, portalId), stretch };
}
