import type { ClaimedExecution } from "#domain/contract/execution.js";
import { alreadyEnrolled, enrolled, type Sender } from "#domain/contract/outcome.js";
import type { Policy } from "#domain/contract/policy.js";
import type { Result } from "#domain/executions/write-back.js";
import { HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { NewEnrollment } from "#platform/hubspot/gateway.js";
import { withoutPersons } from "#platform/hubspot/without-persons.js";
import { later } from "./attempt-faults.js";
import { beginReplacement } from "./begin-unenrollment.js";
import { wasEverInDoubt } from "./doubt.js";
import type { EnrollContext } from "./enroll-context.js";
import { readAgainLater, readDoubt, UNEXPLAINED } from "./read-doubt.js";
import { judgeEnrollRefusal } from "./refusals.js";
import type { RefusedSender } from "#worker/senders/store-sender-block.js";
import { whatIsMissing } from "./what-is-missing.js";

/** One enroll request, with its sender and its policy. */
export interface EnrollAttempt {
  readonly execution: ClaimedExecution;
  readonly policy: Pick<Policy, "ifAlreadyEnrolled">;
  readonly sender: Sender;
  readonly context: EnrollContext;
}

/** A refusal that concerns the sender: another sender may enroll the contact. */
export interface SenderRefused {
  readonly to: "NEXT_SENDER";
  readonly refused: RefusedSender;
}

/** HubSpot enrolled the contact. A failed name lookup must not make that uncertain. */
export async function afterSuccess(
  { id, enrolledAt }: NewEnrollment,
  { execution: { sequenceId }, sender, context: { directory, portalId } }: EnrollAttempt,
): Promise<Result> {
  const sequenceName = await directory.sequenceName(portalId, sequenceId).catch(() => undefined);
  return { to: "DECIDED", outcome: enrolled({ id, enrolledAt, sequenceName, sender }) };
}

/**
 * The result of a request that did not end in an enrollment we know of.
 *
 * @throws faults that say nothing about the request, and faults while asking HubSpot why it refused.
 */
export async function afterFailure(fault: unknown, attempt: EnrollAttempt): Promise<Result | SenderRefused> {
  if (fault instanceof HubSpotRejected) return afterRefusal(fault, attempt);
  if (fault instanceof HubSpotUnavailable)
    return later(fault.wasNotSent ? "QUEUED" : "UNCERTAIN", attempt.execution, fault);
  throw fault;
}

async function afterRefusal(fault: HubSpotRejected, attempt: EnrollAttempt): Promise<Result | SenderRefused> {
  const { execution, sender, context } = attempt;
  const { hubspotMessage: message } = fault;
  const refusal = judgeEnrollRefusal(fault, sender);
  switch (refusal.is) {
    case "of-sender": {
      // The next sender would send it a second time.
      const seen = wasEverInDoubt(execution) ? await enrolledAllTheSame(fault, attempt) : undefined;
      if (seen !== undefined) return seen;
      const { userId, email } = sender;
      // This is known about the sender from now on, for other contacts too.
      const refused = { userId, email, code: refusal.code, message: withoutPersons(message, email) };
      return { to: "NEXT_SENDER", refused };
    }
    case "already-enrolled":
      return afterAlreadyEnrolled({ ...attempt, ifAlreadyEnrolled: attempt.policy.ifAlreadyEnrolled });
    case "missing": {
      const seen = await enrolledAllTheSame(fault, attempt);
      return seen ?? { to: "DECIDED", outcome: await whatIsMissing(execution, context, { sender, message }) };
    }
    case "final":
      return (await enrolledAllTheSame(fault, attempt)) ?? { to: "DECIDED", outcome: refusal.outcome };
  }
}

/** HubSpot's status for a request that conflicts with what is there. */
const CONFLICT = 409;

/**
 * A refusal for another reason than "already enrolled" is final, with two exceptions, for which HubSpot is read first.
 * An earlier request without an answer may have enrolled the contact, and its sequence may have ended since. And a
 * conflict may be an enrollment, in words that we do not know.
 *
 * @returns undefined if HubSpot shows no enrollment that explains the refusal.
 */
async function enrolledAllTheSame(
  fault: HubSpotRejected,
  attempt: EnrollAttempt,
): Promise<Result | undefined> {
  const { execution, context, policy } = attempt;
  const isConflict = fault.httpStatus === CONFLICT;
  if (!isConflict && !wasEverInDoubt(execution)) return undefined;
  const found = await readDoubt(execution, context);
  if ("to" in found) return found;
  if (found.is === "ours") return { to: "DECIDED", outcome: found.outcome };
  if (!isConflict || found.is === "none") return undefined;
  return inAnothers({ ...attempt, ifAlreadyEnrolled: policy.ifAlreadyEnrolled });
}

/** An attempt for a contact that is in a sequence; without a sender if nothing was sent. */
type RefusedAttempt = Pick<EnrollAttempt, "execution" | "context"> &
  Pick<Policy, "ifAlreadyEnrolled"> & { sender?: Sender };

const CONTRADICTION = "HubSpot says that the contact is enrolled, and does not show in what.";

/**
 * HubSpot shows the end of a sequence some tens of seconds late (docs/hubspot.md §7.1): an earlier check shows nothing.
 */
const WATCH_AFTER_MS = 60_000;

/**
 * HubSpot says that the contact is enrolled. If every request for it was answered, someone else enrolled it. An earlier
 * unanswered attempt, of this execution or of the one it retries, may be the reason too: then only reading shows. The
 * enrollment is someone else's if a running one is shown that is not ours. If none is shown, HubSpot contradicts
 * itself, and if reading fails, nothing is known: it is read again, not sent again, since the enrollment could end
 * meanwhile.
 */
export async function afterAlreadyEnrolled(attempt: RefusedAttempt): Promise<Result> {
  const { execution } = attempt;
  const isOthers = (): Promise<Result> | Result => inAnothers(attempt);
  if (!wasEverInDoubt(execution)) return isOthers();
  const found = await readDoubt(execution, attempt.context);
  if ("to" in found) return found;
  if (found.is === "ours") return { to: "DECIDED", outcome: found.outcome };
  if (found.is === "anothers" && found.believedInMs === 0) return isOthers();
  // Time alone does not settle a contradiction.
  const believedInMs = found.believedInMs === 0 ? undefined : found.believedInMs;
  const problem = found.believedInMs === undefined ? UNEXPLAINED : CONTRADICTION;
  return readAgainLater(execution, attempt.context, { believedInMs, problem });
}

/** The contact is in a sequence, but not because of this execution: what its policy says about that. */
function inAnothers({
  execution,
  context,
  sender,
  ifAlreadyEnrolled,
}: RefusedAttempt): Promise<Result> | Result {
  switch (ifAlreadyEnrolled) {
    case "wait": {
      const problem = "The contact is in a sequence; waiting for its end.";
      return { to: "WATCHING", delayMs: WATCH_AFTER_MS, problem };
    }
    case "replace":
      return beginReplacement(execution, context, sender);
    default:
      return { to: "DECIDED", outcome: alreadyEnrolled(ifAlreadyEnrolled, sender) };
  }
}
