import type { ErrorCode } from "#domain/contract/error-codes.js";
import { failed, type Outcome, type Sender } from "#domain/contract/outcome.js";
import { refusalCode } from "#domain/executions/refusal.js";
import { SENDER_REFUSALS, type SenderRefusalCode } from "#domain/senders/sender-blocks.js";
import type { HubSpotRejected } from "#platform/hubspot/errors.js";

/** What HubSpot's refusal of an enrollment means. */
export type EnrollRefusal =
  /** It concerns the sender: another sender may enroll the contact. */
  | { readonly is: "of-sender"; readonly code: SenderRefusalCode }
  | { readonly is: "already-enrolled" }
  /** A 404 without a message: the contact or the sequence is gone. */
  | { readonly is: "missing" }
  | { readonly is: "final"; readonly outcome: Outcome };

const codeOf = (refusal: HubSpotRejected): ErrorCode | undefined =>
  refusalCode({ ...refusal, message: refusal.hubspotMessage });

const inItsWords = ({ hubspotMessage }: HubSpotRejected): string => `HubSpot said: ${hubspotMessage}`;

/** Codes whose own sentence says too little. */
const TOLD_IN_ITS_WORDS: readonly ErrorCode[] = ["HUBSPOT_REJECTED", "INVALID_INPUT"];

function concernsSender(code: ErrorCode): code is SenderRefusalCode {
  return (SENDER_REFUSALS as readonly ErrorCode[]).includes(code);
}

export function judgeEnrollRefusal(refusal: HubSpotRejected, sender: Sender): EnrollRefusal {
  const code = codeOf(refusal);
  if (code === undefined) return { is: "missing" };
  if (concernsSender(code)) return { is: "of-sender", code };
  if (code === "ALREADY_ENROLLED") return { is: "already-enrolled" };
  const detail = TOLD_IN_ITS_WORDS.includes(code) ? inItsWords(refusal) : undefined;
  return { is: "final", outcome: failed(code, { sender, detail }) };
}

/**
 * The outcome if HubSpot refuses to let a contact be read. Unless it names the reading user, the app lacks the
 * permission.
 */
export function refusedRead(refusal: HubSpotRejected): Outcome {
  const isOfApp = refusal.httpStatus === 403 && refusal.category !== "PERMISSION_DENIED";
  const code = isOfApp ? "MISSING_SCOPES" : (codeOf(refusal) ?? "CONTACT_NOT_FOUND");
  return failed(code, { detail: inItsWords(refusal) });
}
