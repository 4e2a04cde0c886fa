import { alreadyEnrolled, failed, type Sender } from "#domain/contract/outcome.js";
import { refusalCode } from "#domain/executions/refusal.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import type { Result } from "#domain/executions/write-back.js";
import type { HubSpotRejected } from "#platform/hubspot/errors.js";
import type { Policy } from "#domain/contract/policy.js";
import { SENDER_REFUSALS, type SenderRefusalCode } from "#domain/senders/sender-blocks.js";
import { wasEverInDoubt } from "./doubt.js";
import { lookAgain, readDoubt, UNEXPLAINED } from "./settle-uncertain.js";
import { whatIsMissing } from "./what-is-missing.js";
import type { EnrollContext } from "./enroll-context.js";

/** One request that was sent, as whom and under which policy. */
export interface Attempt {
  readonly execution: ClaimedExecution;
  readonly sender: Sender;
  readonly alias: string | undefined;
  readonly ifAlreadyEnrolled: Policy["ifAlreadyEnrolled"];
  readonly context: EnrollContext;
}

/** A refusal that concerns the sender: the contact may be sent as somebody else. */
export interface RefusedAsSender {
  readonly to: "NEXT_SENDER";
  readonly code: SenderRefusalCode;
  readonly message: string;
}

const CONTRADICTION = "HubSpot says that the contact is enrolled, and does not show in what.";

/** HubSpot shows the end of a sequence some tens of seconds late (docs/hubspot.md §7.1): looking sooner tells nothing. */
const WATCH_AFTER_MS = 60_000;

/**
 * HubSpot says that the contact is enrolled. If every request for it was answered, somebody else did that. An earlier attempt
 * that was never answered may be why, too, of this execution or of the one it retries: then only reading tells. It is another's where one that runs is shown and is not ours.
 * Where none is shown HubSpot contradicts itself, and where reading fails nothing is known: it is read again, not sent
 * again, since the enrollment could end meanwhile.
 */
export async function afterAlreadyEnrolled(
  attempt: Pick<Attempt, "execution" | "ifAlreadyEnrolled" | "context"> & { sender?: Sender },
): Promise<Result> {
  const { execution, sender, ifAlreadyEnrolled } = attempt;
  const isOthers: Result =
    ifAlreadyEnrolled === "wait"
      ? {
          to: "WATCHING",
          delayMs: WATCH_AFTER_MS,
          problem: "The contact is in a sequence; waiting for its end.",
        }
      : { to: "DECIDED", outcome: alreadyEnrolled(ifAlreadyEnrolled, sender) };
  if (!wasEverInDoubt(execution)) return isOthers;
  const found = await readDoubt(execution, attempt.context);
  if ("to" in found) return found;
  if (found.is === "ours") return { to: "DECIDED", outcome: found.outcome };
  if (found.is === "anothers" && found.believedInMs === 0) return isOthers;
  // Time alone does not settle a contradiction.
  const believedInMs = found.believedInMs === 0 ? undefined : found.believedInMs;
  const problem = found.believedInMs === undefined ? UNEXPLAINED : CONTRADICTION;
  return lookAgain(execution, attempt.context, { believedInMs, problem });
}

function concernsSender(code: string | undefined): code is SenderRefusalCode {
  return (SENDER_REFUSALS as readonly (string | undefined)[]).includes(code);
}

/** What HubSpot's refusal of an enrollment means: an end, or a reason to try the next sender. */
export async function afterRefusal(
  refusal: HubSpotRejected,
  attempt: Attempt,
): Promise<Result | RefusedAsSender> {
  const { execution, sender, context } = attempt;
  const code = refusalCode({ ...refusal, message: refusal.hubspotMessage });
  if (concernsSender(code)) return { to: "NEXT_SENDER", code, message: refusal.hubspotMessage };
  switch (code) {
    case "ALREADY_ENROLLED":
      return afterAlreadyEnrolled(attempt);
    case undefined: {
      const message = refusal.hubspotMessage;
      return { to: "DECIDED", outcome: await whatIsMissing(execution, context, { sender, message }) };
    }
    case "HUBSPOT_REJECTED":
    case "INVALID_INPUT":
      return {
        to: "DECIDED",
        outcome: failed(code, { sender, detail: `HubSpot said: ${refusal.hubspotMessage}` }),
      };
    default:
      return { to: "DECIDED", outcome: failed(code, { sender }) };
  }
}
