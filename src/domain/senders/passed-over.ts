import { ERROR_SENTENCES, type ErrorCode } from "#domain/contract/error-codes.js";
import type { Policy } from "#domain/contract/policy.js";
import type { CandidateVia, StoredSenderChoice } from "#domain/contract/sender-choice.js";
import type { SenderPolicy } from "#domain/contract/sender-policy.js";
import type { Unavailable } from "./availability.js";
import type { SenderLedger } from "./sender-ledger.js";

/** A candidate who cannot send now. */
export interface PassedOver {
  readonly via: CandidateVia;
  readonly userId: bigint | undefined;
  readonly verdict: Unavailable;
  readonly sender: SenderPolicy | undefined;
  /** When the sender could send, after those who wait already; computed only once nobody else can. */
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
      readonly forUserId: bigint;
      readonly delayMs: number;
      readonly reason: string;
      readonly choice: StoredSenderChoice;
    }
  | {
      readonly kind: "fail";
      readonly code: ErrorCode;
      readonly reason: string;
      readonly choice: StoredSenderChoice;
    };

/** How many passed-over senders are stored with the contact and shown; a rotation has up to 200. */
const MOST_TOLD = 25;

const LEAST_WAIT_MS = 1_000;

/** What is stored with the contact of those who were passed over. */
export function storedPassedOver(passedOver: readonly PassedOver[]): Omit<StoredSenderChoice, "chosen"> {
  const told = passedOver.slice(0, MOST_TOLD).map(({ via, userId, verdict, place }) => ({
    ...(userId === undefined ? {} : { userId: String(userId) }),
    via,
    code: verdict.code,
    reason: verdict.reason === "" ? ERROR_SENTENCES[verdict.code] : verdict.reason,
    ...(place?.freeAt === undefined ? {} : { freeAt: place.freeAt.toISOString() }),
  }));
  const untold = passedOver.length - told.length;
  return { passedOver: told, ...(untold === 0 ? {} : { morePassedOver: untold }) };
}

/**
 * The place this contact would wait for, after everyone who waits already. It holds as long as nobody else joins
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
  const { code, reason } = soonest.verdict;
  if (delayMs > patienceMs) {
    const late = `${reason} The next free place would come after the contact has to be let go.`;
    return { kind: "fail", code, reason: late, choice };
  }
  ledger.addWaiter(sender.userId);
  return { kind: "wait", forUserId: sender.userId, delayMs, reason, choice };
}

function fail(passedOver: readonly PassedOver[], choice: StoredSenderChoice): NobodyNow {
  const [first] = passedOver;
  const isRotation = first?.via === "rotation";
  const code = first === undefined || isRotation ? "NO_SENDER_AVAILABLE" : first.verdict.code;
  const isOwnSentence = first !== undefined && first.verdict.reason.startsWith(ERROR_SENTENCES[code]);
  const why = first === undefined || isOwnSentence ? "" : first.verdict.reason;
  const others = passedOver.length > 1 && !isRotation ? "No fallback could send either." : "";
  return { kind: "fail", code, reason: [why, others].filter(Boolean).join(" "), choice };
}

/** The passed-over sender who could send first; in a tie the one considered first. */
function soonestOf(
  passedOver: readonly PassedOver[],
  nowMs: number,
): { sender: SenderPolicy; verdict: Unavailable; delayMs: number } | undefined {
  let soonest: { sender: SenderPolicy; verdict: Unavailable; delayMs: number } | undefined;
  for (const { sender, verdict, place } of passedOver) {
    const freeAt = place?.freeAt;
    if (sender === undefined || freeAt === undefined) continue;
    const delayMs = Math.max(LEAST_WAIT_MS, freeAt.getTime() - nowMs);
    if (soonest === undefined || delayMs < soonest.delayMs) soonest = { sender, verdict, delayMs };
  }
  return soonest;
}
