import { ERROR_SENTENCES, sentenceWith, type ErrorCode } from "#domain/contract/error-codes.js";
import type { Sender } from "#domain/contract/outcome.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { localTime } from "#platform/time/local-time.js";
import type { Policy } from "#domain/contract/policy.js";
import type { CandidateVia, StoredSenderChoice } from "#domain/contract/sender-choice.js";
import type { SenderPolicy } from "#domain/contract/sender-policy.js";
import type { Unavailable } from "./availability.js";
import type { SenderLedger } from "./sender-ledger.js";

/** A candidate who cannot send now. */
export interface PassedOver {
  readonly via: CandidateVia;
  readonly userId: UserId | undefined;
  /** Of the person, if there is one who could send at another time. */
  readonly email: string | undefined;
  readonly verdict: Unavailable;
  readonly sender: SenderPolicy | undefined;
  /** When the sender could send, after those who already wait; computed only if nobody else can. */
  place?: { readonly behind: number; readonly freeAt: Date | undefined };
}

/** The places of a portal's senders, and who waits for them. */
export interface Places {
  readonly ledger: SenderLedger;
  readonly now: () => Date;
}

/** Whom the contact waits for, or why nobody can send. */
export type NobodyNow =
  | {
      readonly kind: "wait";
      readonly forUserId: UserId;
      readonly delayMs: number;
      readonly reason: string;
      readonly choice: StoredSenderChoice;
    }
  | {
      readonly kind: "fail";
      readonly code: ErrorCode;
      /** What happened, and what to do about it. */
      readonly reason: string;
      /** Whom it is about: the first who was considered, if it is a person. */
      readonly sender: Sender | undefined;
      readonly choice: StoredSenderChoice;
    };

/** How many passed-over senders are stored with the contact and shown; a rotation has up to 200. */
const MOST_TOLD = 25;

const LEAST_WAIT_MS = 1_000;

/** What is stored with the contact of those who were skipped. */
export function storedPassedOver(passedOver: readonly PassedOver[]): Omit<StoredSenderChoice, "chosen"> {
  const told = passedOver.slice(0, MOST_TOLD).map(({ via, userId, verdict, place }) => ({
    ...(userId === undefined ? {} : { userId: String(userId) }),
    via,
    code: verdict.code,
    reason: verdict.tell("The sender"),
    ...(place?.freeAt === undefined ? {} : { freeAt: place.freeAt.toISOString() }),
  }));
  const untold = passedOver.length - told.length;
  return { passedOver: told, ...(untold === 0 ? {} : { morePassedOver: untold }) };
}

/**
 * The place this contact would wait for, after everyone who waits already. It is valid as long as nobody else joins
 * them.
 */
export function findPlace(entry: PassedOver, { ledger, now }: Places): void {
  const { sender, verdict, place } = entry;
  if (sender === undefined || verdict.kind !== "later") return;
  const behind = ledger.waitersFor(sender.userId);
  if (place?.behind === behind) return;
  const freeAt =
    verdict.isUnsettled === true
      ? ledger.doubtEndsAt(sender)
      : ledger.placeFreeAt(sender, behind, verdict.notBefore ?? now());
  entry.place = { behind, freeAt };
}

/**
 * Lets the contact wait for the first place that comes free, if its policy and its time allow. Synchronous, so that no
 * two contacts wait for the same place.
 */
export function waitOrFail(
  passedOver: readonly PassedOver[],
  places: Places,
  { whenNobody, patienceMs }: { whenNobody: Policy["fallback"]["whenNobody"]; patienceMs: number },
): NobodyNow {
  const { ledger, now } = places;
  for (const entry of passedOver) findPlace(entry, places);
  const choice: StoredSenderChoice = { chosen: null, ...storedPassedOver(passedOver) };
  const isUnsettled = passedOver.some(({ verdict }) => verdict.isUnsettled);
  if (whenNobody === "fail" && !isUnsettled) return fail(passedOver, choice);
  const nowMs = now().getTime();
  const soonest = soonestOf(passedOver, nowMs);
  if (soonest === undefined) return fail(passedOver, choice);
  const { sender, delayMs } = soonest;
  if (delayMs > patienceMs)
    return fail(passedOver, choice, "The next place comes free after the contact's deadline.");
  ledger.addWaiter(sender.userId);
  return {
    kind: "wait",
    forUserId: sender.userId,
    delayMs,
    reason: soonest.verdict.tell(nameOf(soonest)),
    choice,
  };
}

/** Names are looked up for few: in a stored sentence a person is called by their address. */
const nameOf = ({ email }: Pick<PassedOver, "email">): string =>
  email === undefined ? "The sender" : `Sender ${email}`;

/** The fact about the first who was considered, what else there is to say, and what to do about it. */
function fail(
  passedOver: readonly PassedOver[],
  choice: StoredSenderChoice,
  late?: string,
): Extract<NobodyNow, { kind: "fail" }> {
  const [first] = passedOver;
  if (first === undefined)
    return { kind: "fail", code: NOBODY, reason: ERROR_SENTENCES[NOBODY], choice, sender: undefined };
  const { verdict, userId, email, place, sender } = first;
  const isOfMany = first.via === "rotation" && passedOver.length > 1;
  const code = first.via === "rotation" ? NOBODY : verdict.code;
  const fact = isOfMany ? "No sender of the rotation was available." : verdict.tell(nameOf(first));
  const isFreeLater =
    place?.freeAt !== undefined && sender !== undefined && verdict.code === "SENDER_LIMIT_REACHED";
  const more = [
    isFreeLater && !isOfMany ? `A place is free ${localTime(place.freeAt, sender.timeZone)}.` : "",
    late ?? "",
    passedOver.length > 1 && !isOfMany ? "No fallback sender was available either." : "",
  ];
  const known = [fact, ...more].filter(Boolean).join(" ");
  const hasRemedy = code === NOBODY && userId === undefined;
  const about = isOfMany || userId === undefined || email === undefined ? undefined : { userId, email };
  return { kind: "fail", code, reason: hasRemedy ? known : sentenceWith(code, known), choice, sender: about };
}

const NOBODY = "NO_SENDER_AVAILABLE";

interface Soonest extends Pick<PassedOver, "email" | "verdict"> {
  readonly sender: SenderPolicy;
  readonly delayMs: number;
}

/** The passed-over sender who could send first; in a tie the one considered first. */
function soonestOf(passedOver: readonly PassedOver[], nowMs: number): Soonest | undefined {
  let soonest: Soonest | undefined;
  for (const { sender, email, verdict, place } of passedOver) {
    const freeAt = place?.freeAt;
    if (sender === undefined || freeAt === undefined) continue;
    const delayMs = Math.max(LEAST_WAIT_MS, freeAt.getTime() - nowMs);
    if (soonest === undefined || delayMs < soonest.delayMs) soonest = { sender, email, verdict, delayMs };
  }
  return soonest;
}
