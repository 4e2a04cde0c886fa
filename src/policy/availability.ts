import { ERROR_SENTENCES, type ErrorCode } from "../executions/error-codes.js";
import { localTime } from "../local-time.js";
import type { Openings } from "./openings.js";
import type { SenderLedger } from "./sender-ledger.js";
import type { SenderMarks } from "./sender-marks.js";
import type { SenderPolicy } from "./sender-policy.js";

/** Whether a sender can send at this moment, and if not, why and until when. */
export type Availability =
  | { readonly kind: "now"; readonly isProbe: boolean }
  | {
      readonly kind: "later" | "never";
      readonly code: ErrorCode;
      /** Worded when it is read: of all who are passed over few are told of. */
      readonly reason: string;
      /** For `later`: not before. */
      readonly notBefore?: Date;
    };

/**
 * Judges a sender whose account the ledger has loaded, without waiting for anything: between the judgement and the
 * reservation nobody else can take the place.
 */
export function availabilityOf(
  sender: SenderPolicy,
  {
    ledger,
    marks,
    openings,
    now,
  }: { ledger: SenderLedger; marks: SenderMarks; openings: Openings; now: Date },
): Availability {
  if (!sender.isAllowed) {
    return { kind: "never", code: "SENDER_NOT_ALLOWED", reason: ERROR_SENTENCES.SENDER_NOT_ALLOWED };
  }
  const standing = marks.standing(sender);
  if (standing.kind === "refused") {
    const { code, at } = standing.refusal;
    return {
      ...{ kind: "never", code },
      get reason() {
        return `${ERROR_SENTENCES[code]} HubSpot said so on ${localTime(at, sender.timeZone)}.`;
      },
    };
  }
  if (standing.kind === "limited") {
    const reason = "HubSpot says that the sender has reached its limit.";
    return { kind: "later", code: "SENDER_LIMIT_REACHED", reason, notBefore: standing.until };
  }
  const { dailyCap } = sender;
  if (dailyCap <= 0)
    return { kind: "never", code: "SENDER_LIMIT_REACHED", reason: "The sender's daily cap is 0." };
  if (ledger.usedBy(sender.userId) >= dailyCap) {
    return {
      ...{ kind: "later", code: "SENDER_LIMIT_REACHED" },
      get reason() {
        return `The sender's daily cap of ${dailyCap} enrollments in 24 hours is used up.`;
      },
    };
  }
  const openAt = openings.opensAt(sender, now);
  if (openAt === undefined)
    return { kind: "never", code: "NO_SENDER_AVAILABLE", reason: "The sender's send window never opens." };
  if (openAt > now) {
    return {
      ...{ kind: "later", code: "NO_SENDER_AVAILABLE" },
      get reason() {
        return `The sender is away or outside the send window until ${localTime(openAt, sender.timeZone)}.`;
      },
    };
  }
  return { kind: "now", isProbe: standing.kind === "probe" };
}
