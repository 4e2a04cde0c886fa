import { ERROR_SENTENCES } from "#domain/contract/error-codes.js";
import type { Policy } from "#domain/contract/policy.js";
import { readSequenceFacts, type CurrentSequence } from "#domain/contract/sequence-facts.js";
import type { ContactHistory } from "./contact-history.js";
import { refuseContact, type ContactFacts, type ContactRefusal } from "./contact-policy.js";

/** What a contact's own state says, before a sender is looked for. */
export type ContactVerdict =
  | { readonly kind: "may-be-enrolled" }
  /** Another sequence has it now: what then happens is for the policy's `ifAlreadyEnrolled` to say. */
  | { readonly kind: "in-sequence"; readonly current: CurrentSequence }
  | {
      readonly kind: "refused";
      readonly code: ContactRefusal["code"] | "CONTACT_HAS_NO_EMAIL";
      readonly status: ContactRefusal["status"];
      readonly reason: string;
    };

export interface JudgedContact extends Omit<ContactFacts, "history"> {
  /** What we enrolled it in: read for a cooldown only. */
  readonly readHistory: () => Promise<ContactHistory | undefined>;
  /** HubSpot's lookup: the sequence that has the contact now, if any. */
  readonly readEnrollment: () => Promise<CurrentSequence | undefined>;
}

/** Checks a contact against the policy: for the step that enrolls, and for the dry run of one. */
export async function judgeByPolicy(policy: Policy, contact: JudgedContact): Promise<ContactVerdict> {
  if (!contact.properties["email"]) {
    const code = "CONTACT_HAS_NO_EMAIL";
    return { kind: "refused", code, status: "FAILED", reason: ERROR_SENTENCES[code] };
  }
  const history = policy.cooldown.days > 0 ? await contact.readHistory() : undefined;
  const refusal = refuseContact(policy, { ...contact, history });
  // The cooldown of a contact that is in a sequence began with that very enrollment. A contact that is to be moved is not
  // taken out of its sequence for one that its cooldown keeps it from.
  if (refusal?.code === "COOLDOWN_ACTIVE" && policy.ifAlreadyEnrolled !== "replace") {
    const current = await currentSequence(contact);
    if (current !== undefined) return { kind: "in-sequence", current };
  }
  return refusal === undefined ? { kind: "may-be-enrolled" } : { kind: "refused", ...refusal };
}

/** By its properties, which are some seconds behind, and then by HubSpot's lookup, one request (docs/hubspot.md §5.1). */
export async function currentSequence({
  properties,
  now,
  readEnrollment,
}: Pick<JudgedContact, "properties" | "now" | "readEnrollment">): Promise<CurrentSequence | undefined> {
  return readSequenceFacts(properties, now).isEnrolled ? readEnrollment() : undefined;
}
