import { ERROR_SENTENCES, type ErrorCode } from "#domain/contract/error-codes.js";
import { localTime } from "#platform/time/local-time.js";
import type { Openings } from "./windows/openings.js";
import type { SenderLedger } from "./sender-ledger.js";
import type { SenderBlocks } from "./sender-blocks.js";
import type { SenderPolicy, SenderRefusal } from "#domain/contract/sender-policy.js";

/** Why a sender cannot send now, and whether that will pass. */
export interface Unavailable {
  readonly kind: "later" | "never";
  readonly code: ErrorCode;
  /** Built when it is read: few of the passed-over senders are reported. */
  readonly reason: string;
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
  reason: ERROR_SENTENCES.SENDER_NOT_ALLOWED,
};
const NO_CAP: Unavailable = {
  kind: "never",
  code: "SENDER_LIMIT_REACHED",
  reason: "The sender's daily cap is 0.",
};
const NEVER_OPENS: Unavailable = {
  kind: "never",
  code: "NO_SENDER_AVAILABLE",
  reason: "The sender's send window never opens.",
};

const IN_DOUBT: Unavailable = {
  kind: "later",
  code: "SENDER_LIMIT_REACHED",
  isUnsettled: true,
  reason:
    "The database was brought back to an earlier moment: until HubSpot has told what was sent since, it counts as sent by each sender.",
};

class Refused implements Unavailable {
  readonly kind = "never";
  readonly code: SenderRefusal["code"];
  readonly #at: Date;
  readonly #timeZone: string;

  constructor({ code, at }: SenderRefusal, timeZone: string) {
    this.code = code;
    this.#at = at;
    this.#timeZone = timeZone;
  }

  get reason(): string {
    return `${ERROR_SENTENCES[this.code]} HubSpot said so on ${localTime(this.#at, this.#timeZone)}.`;
  }
}

class UsedUp implements Unavailable {
  readonly kind = "later";
  readonly code = "SENDER_LIMIT_REACHED";
  readonly #dailyCap: number;

  constructor(dailyCap: number) {
    this.#dailyCap = dailyCap;
  }

  get reason(): string {
    return `The sender's daily cap of ${this.#dailyCap} enrollments in 24 hours is used up.`;
  }
}

class Closed implements Unavailable {
  readonly kind = "later";
  readonly code = "NO_SENDER_AVAILABLE";
  readonly #opensAt: Date;
  readonly #timeZone: string;

  constructor(opensAt: Date, timeZone: string) {
    this.#opensAt = opensAt;
    this.#timeZone = timeZone;
  }

  get reason(): string {
    return `The sender is away or outside the send window until ${localTime(this.#opensAt, this.#timeZone)}.`;
  }
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
  if (block.kind === "refused") return new Refused(block.refusal, sender.timeZone);
  if (block.kind === "limited") {
    const reason = "HubSpot says that the sender has reached its limit.";
    return { kind: "later", code: "SENDER_LIMIT_REACHED", reason, notBefore: block.until };
  }
  const { dailyCap } = sender;
  if (dailyCap <= 0) return NO_CAP;
  if (ledger.usedBy(sender.userId) >= dailyCap)
    return ledger.isUsedUpByDoubt(sender) ? IN_DOUBT : new UsedUp(dailyCap);
  const openAt = openings.opensAt(sender, now);
  if (openAt === undefined) return NEVER_OPENS;
  if (openAt > now) return new Closed(openAt, sender.timeZone);
  return block.kind === "probe" ? PROBE : NOW;
}
