import type { IfAlreadyEnrolled, SenderMode } from "#domain/contract/actions/enroll-contract.js";
import type { EnrollmentContact } from "#domain/executions/accept/accept-enrollments.js";

/** An enrollment as requested from outside: its form is checked, its names are not. */
export interface EnrollmentWish {
  readonly contact: EnrollmentContact;
  readonly sequence: { readonly id: string } | { readonly name: string };
  readonly sender?: SenderWish | undefined;
  readonly presetId?: string | undefined;
  readonly ifAlreadyEnrolled?: IfAlreadyEnrolled | undefined;
  readonly cooldownDays?: number | undefined;
  /** ISO 8601 with its offset. */
  readonly notBefore?: string | undefined;
  readonly reference?: string | undefined;
}

export interface SenderWish {
  readonly mode: SenderMode;
  readonly userId?: string | undefined;
  readonly email?: string | undefined;
  readonly rotationId?: string | undefined;
  readonly alias?: string | undefined;
}
