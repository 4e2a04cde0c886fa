import type { IfAlreadyEnrolled, SenderMode } from "#domain/contract/actions/enroll-contract.js";
import type { StoredSenderChoice } from "#domain/contract/sender-choice.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/** "What would happen to this contact?": what a workflow's step would ask for. This enrolls nothing. */
export interface EnrollQuestion {
  /** Contact id or email address. */
  readonly contact: string;
  readonly sequenceId: string;
  /** Null: the step names none, so the portal's default preset applies. */
  readonly presetId: bigint | null;
  readonly sender: RequestedSender;
  /** What else the step says; the preset decides what is absent. */
  readonly ifAlreadyEnrolled?: IfAlreadyEnrolled;
  readonly cooldownDays?: number;
  /** An alias address of the sender's inbox. */
  readonly senderAlias?: string;
  /** From when on it may enroll, in any form that a step can name it (domain/contract/point-in-time.ts). */
  readonly notBefore?: string;
}

/** The step's choice of sender; `portal_default` leaves it to the preset. */
export type RequestedSender =
  | { readonly mode: Exclude<SenderMode, "specific_user" | "rotation"> }
  | { readonly mode: "specific_user"; readonly userId: UserId }
  | { readonly mode: "rotation"; readonly rotationId: bigint };

/** One rule of the contact policy and its verdict on this contact. */
export interface ContactCheck {
  /** What is checked, in an admin's words: "Opt-out", "Cooldown". */
  readonly name: string;
  /** `unknown`: could not be checked, the sentence says why. */
  readonly verdict: "passed" | "refused" | "waits" | "unknown";
  /** Error code, if it is refused or waits. */
  readonly code?: string;
  readonly sentence: string;
}

export interface Explained {
  readonly kind: "explained";
  readonly contact: { readonly id: string | null; readonly email: string | null };
  /** Name of the preset that applies, or "Built-in rules". */
  readonly policyName: string;
  /** In the order in which they are applied. */
  readonly checks: readonly ContactCheck[];
  /**
   * As it would be stored with the execution; undefined if nobody is chosen, e.g. because the contact policy refuses.
   */
  readonly choice: StoredSenderChoice | undefined;
  readonly decision: "enroll" | "wait" | "refuse";
  readonly code?: string;
  readonly sentence: string;
}

export type Explanation =
  Explained | { readonly kind: "contact-not-found" } | { readonly kind: "hubspot-unavailable" };

/** Answers for the given portal, whatever ids the question names. */
export type Explain = (portalId: PortalId, question: EnrollQuestion) => Promise<Explanation>;
