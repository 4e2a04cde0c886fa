import type { Pool } from "pg";
import type { Breathe } from "#platform/time/breather.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { chooseSender, type SenderDecision } from "./choose-sender.js";
import { readContactHistories } from "./contact-history.js";
import { effectivePolicy, type StepChoices } from "./effective-policy.js";
import type { CurrentSequence } from "#domain/contract/sequence-facts.js";
import { currentSequence, judgeByPolicy } from "./contact-verdict.js";
import type { Openings } from "./windows/openings.js";
import type { PeopleSources } from "./people.js";
import type { Policy } from "#domain/contract/policy.js";
import type { PortalPolicy } from "./portal-policy.js";
import { RotationWheels } from "./rotation-wheels.js";
import { SenderLedger } from "./sender-ledger.js";
import { SenderBlocks } from "./sender-blocks.js";

export interface ChoiceQuestion {
  readonly portal: PortalPolicy;
  readonly contactId: string;
  readonly sequenceId: string;
  readonly step: StepChoices & { readonly senderAlias?: string | undefined };
  /** The contact's REQUESTED_PROPERTIES, and those that `neededProperties` of the policy names. */
  readonly properties: Readonly<Record<string, string | null>>;
  /** HubSpot's lookup: the sequence that has the contact now, if any. Asked only if its properties say that one has. */
  readonly readEnrollment: () => Promise<CurrentSequence | undefined>;
  readonly people: PeopleSources;
  readonly openings: Openings;
  readonly breathe: Breathe;
  readonly now: Date;
  /** How long the contact could be held, to decide whether waiting is worth it. */
  readonly patienceMs: number;
}

/** What would happen to a contact that reached the step now. */
export type ChoiceExplanation =
  /** It would not be enrolled, because of a wrong setting or the contact's own state. */
  | {
      readonly kind: "refused";
      readonly code: ErrorCode;
      readonly status: "SKIPPED" | "FAILED";
      readonly reason: string;
    }
  /** Another sequence has it now: what happens then is up to its policy. */
  | { readonly kind: "in-sequence"; readonly policy: Policy; readonly current: CurrentSequence }
  | { readonly kind: "decided"; readonly policy: Policy; readonly decision: SenderDecision };

/** No execution has this id. */
const NOBODY = -1n;

/**
 * Says what would happen to a contact, with the same code that enrolls: nothing is sent, reserved, advanced or stored.
 * It does not include what only HubSpot knows (an enrollment under way, a missing inbox that nobody has run into yet).
 */
export async function explainChoice(pool: Pool, question: ChoiceQuestion): Promise<ChoiceExplanation> {
  const { portal, contactId, sequenceId, properties, step, openings, breathe, readEnrollment } = question;
  const { portalId } = portal;
  const now = (): Date => question.now;
  const effective = effectivePolicy(portal, step);
  if (effective.kind === "unusable")
    return { kind: "refused", code: "INVALID_INPUT", status: "FAILED", reason: effective.reason };
  const { policy } = effective;
  const readHistory = async () =>
    (await readContactHistories(pool, portalId, [{ contactId, sequenceId }]))[0];
  const contact = { sequenceId, properties, now: question.now, timeZone: portal.timeZone };
  const verdict = await judgeByPolicy(policy, { ...contact, readHistory, readEnrollment });
  if (verdict.kind === "refused") return verdict;
  if (verdict.kind === "in-sequence") return { ...verdict, policy };
  // Its own ledger and wheels, thrown away at the end: nothing is really reserved.
  const ledger = new SenderLedger({ pool, portalId, now, openings });
  const decision = await chooseSender(
    {
      portal,
      ledger,
      wheels: new RotationWheels(),
      blocks: new SenderBlocks(now),
      openings,
      knownMembers: new WeakMap(),
      breathe,
      now,
    },
    {
      executionId: NOBODY,
      policy,
      properties,
      alias: step.senderAlias,
      people: question.people,
      lastSender: async () => (await readHistory())?.lastSenderUserId,
      patienceMs: question.patienceMs,
    },
  );
  // HubSpot refuses to enroll it again, whoever sends.
  if (decision.kind === "send") {
    const current = await currentSequence({ properties, now: question.now, readEnrollment });
    if (current !== undefined) return { kind: "in-sequence", policy, current };
  }
  return { kind: "decided", policy, decision };
}
