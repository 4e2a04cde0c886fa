import type { ErrorCode } from "#domain/contract/error-codes.js";
import { localTime } from "#platform/time/local-time.js";
import type { Openings } from "./windows/openings.js";
import type { SenderLedger } from "./sender-ledger.js";
import type { SenderBlocks } from "./sender-blocks.js";
import type { SenderPolicy, SenderRefusal } from "#domain/contract/sender-policy.js";

/** Why a sender cannot send now, and whether that will pass. */
export interface Unavailable {
  readonly kind: "later" | "never";
  readonly code: ErrorCode;
  /** The fact as a sentence about `who`. Built when it is read: few of the skipped senders are reported. */
  readonly tell: (who: string) => string;
  /** For `later`: not before. */
  readonly notBefore?: Date;
  /** It is not yet known whether the sender can send, and soon will be: the contact waits, whatever its preset says. */
  readonly isUnsettled?: true;
}

/** Whether a sender can send now, and if not, why and until when. */
export type Availability = { readonly kind: "now"; readonly isProbe: boolean } | Unavailable;

const NOW = { kind: "now", isProbe: false } as const;
const PROBE = { kind: "now", isProbe: true } as const;

const NOT_ALLOWED: Unavailable = {
  kind: "never",
  code: "SENDER_NOT_ALLOWED",
  tell: (who) => `${who} isn't approved to send.`,
};
const NO_CAP: Unavailable = {
  kind: "never",
  code: "SENDER_LIMIT_REACHED",
  tell: (who) => `${who} has a daily cap of 0.`,
};
const NEVER_OPENS: Unavailable = {
  kind: "never",
  code: "NO_SENDER_AVAILABLE",
  tell: (who) => `${who} has sending hours that never come. Change them under Senders.`,
};

const IN_DOUBT: Unavailable = {
  kind: "later",
  code: "SENDER_LIMIT_REACHED",
  isUnsettled: true,
  tell: () =>
    "The database was brought back to an earlier moment: until HubSpot has told what was sent since, it counts as sent by each sender.",
};

const REFUSALS: Readonly<Record<SenderRefusal["code"], (who: string) => string>> = {
  INBOX_NOT_CONNECTED: (who) => `${who} has no connected inbox.`,
  SENDER_NOT_PERMITTED: (who) =>
    `${who} can't enroll contacts in HubSpot: a Sales or Service seat or the sequences permission is missing.`,
};

/** HubSpot refused the sender: since `at`, by the clock of `timeZone`. */
function refused({ code, at }: SenderRefusal, timeZone: string): Unavailable {
  return {
    kind: "never",
    code,
    tell: (who) => `${REFUSALS[code](who)} HubSpot said so on ${localTime(at, timeZone)}.`,
  };
}

function usedUp(dailyCap: number): Unavailable {
  return {
    kind: "later",
    code: "SENDER_LIMIT_REACHED",
    tell: (who) =>
      `${who} has used their daily cap: ${dailyCap} ${dailyCap === 1 ? "enrollment" : "enrollments"} in 24 hours.`,
  };
}

function closed(opensAt: Date, timeZone: string): Unavailable {
  return {
    kind: "later",
    code: "NO_SENDER_AVAILABLE",
    tell: (who) => `${who} is away or outside their sending hours until ${localTime(opensAt, timeZone)}.`,
  };
}

/**
 * Judges a sender whose usage the ledger has loaded. Synchronous, so that no other contact can take the place between
 * the judgment and the reservation.
 */
export function availabilityOf(
  sender: SenderPolicy,
  {
    ledger,
    blocks,
    openings,
    now,
  }: { ledger: SenderLedger; blocks: SenderBlocks; openings: Openings; now: Date },
): Availability {
  if (!sender.isAllowed) return NOT_ALLOWED;
  const block = blocks.stateOf(sender);
  if (block.kind === "refused") return refused(block.refusal, sender.timeZone);
  if (block.kind === "limited") {
    const tell = (who: string): string => `${who} has reached HubSpot's own daily limit.`;
    return { kind: "later", code: "SENDER_LIMIT_REACHED", tell, notBefore: block.until };
  }
  const { dailyCap } = sender;
  if (dailyCap <= 0) return NO_CAP;
  if (ledger.usedBy(sender.userId) >= dailyCap)
    return ledger.isUsedUpByDoubt(sender) ? IN_DOUBT : usedUp(dailyCap);
  const openAt = openings.opensAt(sender, now);
  if (openAt === undefined) return NEVER_OPENS;
  if (openAt > now) return closed(openAt, sender.timeZone);
  return block.kind === "probe" ? PROBE : NOW;
}
