import { STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import type { SetupProblem } from "#domain/unenroll/setup.js";
import type { UnenrollmentMove } from "#domain/unenroll/unenrollments.js";
import { HubSpotError, HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { waitAfterMs } from "#platform/hubspot/pace/wait-after.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { UnenrollTimes } from "./judge-contact.js";

const RETRY = { baseMs: 2_000, capMs: 15 * 60_000 };

/** One contact whose property is to be written; `state` and `tries` as stored. */
export interface Stamping {
  readonly executionId: ExecutionId;
  readonly state: "STAMPING" | "CLEARING";
  readonly contactId: string;
  /** Empty: the property is to be emptied. */
  readonly value: string;
  readonly tries: number;
  /** An earlier request, of which nothing may be known, may have set it: if this one is refused, it is to be emptied. */
  readonly mayBeSet: boolean;
}

/** The result of writing them. */
export interface Written {
  readonly moves: readonly UnenrollmentMove[];
  readonly requests: number;
  /** What HubSpot's refusal says about the account. */
  readonly problem?: SetupProblem | undefined;
}

/** HubSpot has no such property: nothing is stamped with it, and nothing can be. */
function isPropertyGone({ codes, hubspotMessage, details }: HubSpotRejected): boolean {
  return (
    codes.includes("PROPERTY_DOESNT_EXIST") ||
    [hubspotMessage, ...details].some(
      (text) => /propert/i.test(text) && /(?:does ?n.t|not) exist/i.test(text),
    )
  );
}

/**
 * Sets the contacts' property, or empties it, with one request; if HubSpot refuses that for a reason that may be one of
 * the contacts', in parts, down to single ones.
 *
 * @throws what is not HubSpot's fault.
 */
export async function writeStamps(
  batch: readonly Stamping[],
  { gateway, times }: { gateway: PortalGateway; times: UnenrollTimes },
): Promise<Written> {
  if (batch.length === 0) return { moves: [], requests: 0 };
  try {
    await gateway.writeContactProperty(
      STAMP_PROPERTY,
      new Map(batch.map(({ contactId, value }) => [contactId, value])),
    );
    return { moves: batch.map((of) => taken(of, times)), requests: 1 };
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    if (!(error instanceof HubSpotRejected))
      return { moves: batch.map((of) => triedLater(of, error)), requests: 1 };
    if (error.httpStatus === 403)
      return { moves: batch.map((of) => notAllowed(of, error)), requests: 1, problem: "NO_PERMISSION" };
    if (isPropertyGone(error)) return { moves: batch.map(moot), requests: 1, problem: "NO_PROPERTY" };
    if (batch.length === 1) return { moves: batch.map((of) => refused(of, error)), requests: 1 };
    const middle = Math.ceil(batch.length / 2);
    const first = await writeStamps(batch.slice(0, middle), { gateway, times });
    const second = await writeStamps(batch.slice(middle), { gateway, times });
    return {
      moves: [...first.moves, ...second.moves],
      requests: 1 + first.requests + second.requests,
      problem: first.problem ?? second.problem,
    };
  }
}

function taken(of: Stamping, times: UnenrollTimes): UnenrollmentMove {
  return of.state === "STAMPING"
    ? { of, to: "STAMPED", dueInMs: times.firstLookMs, isStamped: true }
    : { of, to: "CLEARED", dueInMs: 0 };
}

/** HubSpot may have accepted it anyway: the same value is written again. */
export function triedLater(of: Stamping, fault: HubSpotError): UnenrollmentMove {
  const tries = of.tries + 1;
  return { of, to: of.state, dueInMs: waitAfterMs(fault, tries, RETRY), tries, problem: fault.message };
}

/** There is no waiting until someone allows it again, unless an earlier request may have set the property. */
function notAllowed(of: Stamping, fault: HubSpotRejected): UnenrollmentMove {
  if (of.state === "CLEARING") return triedLater(of, fault);
  return notSet(of, fault);
}

function notSet(of: Stamping, fault: HubSpotRejected): UnenrollmentMove {
  const to = of.mayBeSet ? "CLEARING" : "CLEARED";
  return { of, to, dueInMs: 0, outcome: "NOT_SUPPORTED", problem: fault.message };
}

function moot(of: Stamping): UnenrollmentMove {
  return of.state === "CLEARING"
    ? { of, to: "CLEARED", dueInMs: 0 }
    : { of, to: "CLEARED", dueInMs: 0, outcome: "NOT_SUPPORTED" };
}

/** A contact that is gone has no stamp either. */
function refused(of: Stamping, fault: HubSpotRejected): UnenrollmentMove {
  if (fault.httpStatus === 404) return { of, to: "CLEARED", dueInMs: 0, problem: fault.message };
  return of.state === "CLEARING" ? triedLater(of, fault) : notSet(of, fault);
}
