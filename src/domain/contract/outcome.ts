import type { UserId } from "#platform/ids/branded-ids.js";
import { CHECK_OUTPUTS } from "./actions/check-contract.js";
import type { EnrollmentStatus, IfAlreadyEnrolled } from "./actions/enroll-contract.js";
import { ERROR_SENTENCES, type ErrorCode } from "./error-codes.js";
import type { ExecutionKind } from "./execution.js";
import { UNENROLL_OUTPUTS } from "./actions/unenroll-contract.js";
import { WAIT_OUTPUTS } from "./wait-contract.js";

/** How an execution ended, as the workflow and the settings page see it. */
export interface Outcome {
  readonly executionState: "SUCCESS" | "FAIL_CONTINUE";
  /** Set by the enroll action; other actions store none. */
  readonly enrollmentStatus?: EnrollmentStatus;
  readonly errorCode?: ErrorCode;
  readonly errorMessage?: string;
  readonly enrollmentId?: string;
  readonly enrolledAt?: Date;
  readonly sequenceName?: string;
  readonly sender?: Sender;
  /** Outputs of an action other than enroll, by name. */
  readonly outputs?: Readonly<Record<string, string>>;
}

/** The sender of an enrollment. */
export interface Sender {
  readonly userId: UserId;
  readonly email: string;
}

interface FailureExtra {
  /** What happened and what to do, if both are known more exactly than by the code: the whole message. */
  readonly message?: string | undefined;
  /** Follows the code's own sentence: HubSpot's words. */
  readonly detail?: string | undefined;
  readonly sender?: Sender | undefined;
}

/** A refusal: the workflow continues, and can branch on the code. */
export function failed(code: ErrorCode, extra: FailureExtra = {}): Outcome {
  const sentence = extra.message ?? ERROR_SENTENCES[code];
  return {
    executionState: "FAIL_CONTINUE",
    enrollmentStatus: "FAILED",
    errorCode: code,
    errorMessage: !extra.detail ? sentence : `${sentence} ${extra.detail}`,
    ...(extra.sender === undefined ? {} : { sender: extra.sender }),
  };
}

/**
 * Not tried because of the customer's policy (SKIPPED) or the contact's own wish (FAILED); `reason` is what an admin
 * reads.
 */
export function refusedByPolicy(refusal: {
  code: ErrorCode;
  status: "SKIPPED" | "FAILED";
  reason: string;
}): Outcome {
  return {
    executionState: "FAIL_CONTINUE",
    enrollmentStatus: refusal.status,
    errorCode: refusal.code,
    errorMessage: refusal.reason,
  };
}

/**
 * The contact is, or was, in the sequence because of us. `id` and `sender` are left out if HubSpot does not say.
 * Without `enrolledAt`, the time of storing counts.
 */
export function enrolled(enrollment: {
  id?: string | undefined;
  enrolledAt: Date | undefined;
  sequenceName?: string | undefined;
  sender?: Sender | undefined;
}): Outcome {
  return {
    executionState: "SUCCESS",
    enrollmentStatus: "ENROLLED",
    ...(enrollment.id === undefined ? {} : { enrollmentId: enrollment.id }),
    ...(enrollment.enrolledAt === undefined ? {} : { enrolledAt: enrollment.enrolledAt }),
    ...(enrollment.sequenceName === undefined ? {} : { sequenceName: enrollment.sequenceName }),
    ...(enrollment.sender === undefined ? {} : { sender: enrollment.sender }),
  };
}

/** The contact was already in a sequence: a success or not, as the workflow's builder chose. */
export function alreadyEnrolled(
  policy: Extract<IfAlreadyEnrolled, "skip" | "fail">,
  sender?: Sender,
): Outcome {
  if (policy === "fail")
    return { ...failed("ALREADY_ENROLLED", { sender }), enrollmentStatus: "ALREADY_ENROLLED" };
  return {
    executionState: "SUCCESS",
    enrollmentStatus: "ALREADY_ENROLLED",
    ...(sender === undefined ? {} : { sender }),
  };
}

/** The result of an action other than enroll. */
export function answered(outputs: Readonly<Record<string, string>>): Outcome {
  return { executionState: "SUCCESS", outputs };
}

/** The columns of an outcome, as stored; null if unknown. */
export interface StoredOutcome {
  execution_state: string | null;
  enrollment_status: string | null;
  error_code: string | null;
  error_message: string | null;
  enrollment_id: string | null;
  enrolled_at: Date | null;
  sequence_id: string | null;
  sequence_name: string | null;
  sender_user_id: string | null;
  sender_email: string | null;
}

/** What a completion is built from, as stored; what is left out is unknown. */
type Answer = Pick<StoredAnswer, "kind"> & {
  readonly [Name in keyof StoredAnswer]?: StoredAnswer[Name] | undefined;
};

/** A whole row of it. */
export interface StoredAnswer extends StoredOutcome {
  kind: ExecutionKind;
  outputs: Readonly<Record<string, string>> | null;
}

/** The action's outputs: every name present, every value a string, empty if unknown. */
export function toOutputFields(answer: Answer): Record<string, string> {
  switch (answer.kind) {
    case "ENROLL":
      return toEnrollOutputs(answer);
    case "CHECK_ENROLLMENT":
      return toNamedOutputs(answer, CHECK_OUTPUTS);
    case "WAIT_FOR_SEQUENCE_END":
      return toNamedOutputs(answer, WAIT_OUTPUTS);
    case "UNENROLL":
      return toNamedOutputs(answer, UNENROLL_OUTPUTS);
  }
}

function toNamedOutputs(answer: Answer, names: readonly string[]): Record<string, string> {
  return {
    ...Object.fromEntries(names.map((name) => [name, answer.outputs?.[name] ?? ""])),
    hs_execution_state: answer.execution_state ?? "",
    error_code: answer.error_code ?? "",
    error_message: answer.error_message ?? "",
  };
}

function toEnrollOutputs(outcome: Answer): Record<string, string> {
  return {
    hs_execution_state: outcome.execution_state ?? "",
    enrollment_status: outcome.enrollment_status ?? "",
    error_code: outcome.error_code ?? "",
    error_message: outcome.error_message ?? "",
    enrollment_id: outcome.enrollment_id ?? "",
    enrolled_at: outcome.enrolled_at?.toISOString() ?? "",
    sequence_id: outcome.sequence_id ?? "",
    sequence_name: outcome.sequence_name ?? "",
    sender_user_id: outcome.sender_user_id ?? "",
    sender_email: outcome.sender_email ?? "",
  };
}
