import { z } from "zod";
import { IF_ALREADY_ENROLLED, MAX_COOLDOWN_DAYS } from "./actions/enroll-contract.js";

/**
 * What an admin can decide about enrolling: who sends, what happens when that sender cannot, and which contacts are not
 * to be enrolled. A preset stores one; the portal's default preset applies if a workflow's step names none.
 */

const userId = z.string().regex(/^\d{1,18}$/);
const rotationId = z.string().regex(/^\d{1,18}$/);
/** HubSpot's internal property names: lower case, digits, underscores. */
const propertyName = z.string().regex(/^[a-z][a-z0-9_]{0,99}$/);
const domain = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/);

/** Whose inbox the sequence is sent from. `contact_property`: another user property of the contact, an owner id. */
const senderRule = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("contact_owner") }),
  z.strictObject({ mode: z.literal("contact_property"), property: propertyName }),
  z.strictObject({ mode: z.literal("specific_user"), userId }),
  z.strictObject({ mode: z.literal("rotation"), rotationId }),
  z.strictObject({ mode: z.literal("default_sender") }),
]);

export const policySchema = z.strictObject({
  sender: senderRule,
  /** Tried in this order once the chosen sender cannot send; a rotation's other members come before both. */
  fallback: z.strictObject({
    rotationId: rotationId.nullable(),
    toDefaultSender: z.boolean(),
    /** If a sender is only over the cap, away or outside the window: wait for the first who can send, or fail. */
    whenNobody: z.enum(["wait", "fail"]),
  }),
  ifAlreadyEnrolled: z.enum(IF_ALREADY_ENROLLED),
  cooldown: z.strictObject({
    /** 0: none. */
    days: z.number().int().min(0).max(MAX_COOLDOWN_DAYS),
    /** Since the last enrollment in the same sequence, or in any. */
    scope: z.enum(["sequence", "any"]),
  }),
  suppression: z.strictObject({
    /** A contact with an address at one of these domains, or at a subdomain, is not enrolled. */
    domains: z.array(domain).max(1_000),
    /** A contact whose property has one of these values (case is ignored) is not enrolled. */
    property: z
      .strictObject({
        name: propertyName,
        values: z.array(z.string().trim().min(1).max(200)).min(1).max(100),
      })
      .nullable(),
  }),
  /** Refuse contacts that opted out of all email (`hs_email_optout`) before a request is spent on them. */
  checkOptOut: z.boolean(),
});

export type Policy = z.output<typeof policySchema>;
export type SenderRule = Policy["sender"];

/** What applies in a portal whose admin has not made a default preset. */
export const INITIAL_POLICY: Policy = {
  sender: { mode: "default_sender" },
  fallback: { rotationId: null, toDefaultSender: false, whenNobody: "wait" },
  ifAlreadyEnrolled: "skip",
  cooldown: { days: 0, scope: "any" },
  suppression: { domains: [], property: null },
  checkOptOut: true,
};
