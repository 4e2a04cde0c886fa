import { z } from "zod";
import {
  IF_ALREADY_ENROLLED,
  LONGEST_ADDRESS,
  MAX_COOLDOWN_DAYS,
  SENDER_MODES,
} from "#domain/contract/actions/enroll-contract.js";
import { SOURCES } from "#domain/contract/execution.js";
import { ENROLLMENT_STATES } from "#domain/enrollments/enrollment-state.js";
import { idField, timeField } from "#web/api/kit/fields.js";

const email = z.email("must be an email address").max(LONGEST_ADDRESS);
const settingId = z
  .union([z.string().regex(/^\d{1,18}$/, "must be an id of digits"), z.int().nonnegative()])
  .transform(String);

/** Of two fields exactly one. */
function oneOf(names: readonly [string, string]) {
  const message = `needs either ${names[0]} or ${names[1]}`;
  return {
    check: (given: Readonly<Record<string, unknown>>) =>
      (given[names[0]] === undefined) !== (given[names[1]] === undefined),
    message: { message },
    documented: { oneOf: names.map((name) => ({ required: [name] })) },
  };
}

const [byIdOrEmail, byIdOrName] = [oneOf(["id", "email"]), oneOf(["id", "name"])];

/** A contact as a caller names it. */
export const contactField = z
  .strictObject({ id: idField.optional(), email: email.optional() })
  .refine(byIdOrEmail.check, byIdOrEmail.message)
  .meta(byIdOrEmail.documented)
  .transform(({ id, email: address }) => (id === undefined ? { email: address ?? "" } : { id }));

const sequence = z
  .strictObject({ id: idField.optional(), name: z.string().min(1).max(500).optional() })
  .refine(byIdOrName.check, byIdOrName.message)
  .meta(byIdOrName.documented)
  .transform(({ id, name }) => (id === undefined ? { name: name ?? "" } : { id }));

const sender = z
  .strictObject({
    mode: z.enum(SENDER_MODES),
    userId: settingId.optional().describe("Of mode specific_user: HubSpot's id of the user."),
    email: email.optional().describe("Of mode specific_user, instead of userId: the user's address."),
    rotationId: settingId.optional().describe("Of mode rotation."),
    alias: email.optional().describe("Address of the sender's that is shown instead of the inbox's own."),
  })
  .refine(({ mode, userId, email: address }) => mode !== "specific_user" || userId || address, {
    message: "needs userId or email with mode specific_user",
  })
  .refine(({ mode, rotationId }) => mode !== "rotation" || rotationId !== undefined, {
    message: "needs rotationId with mode rotation",
  });

/** What is asked for of one enrollment, besides whom. */
export const enrollmentDefaults = z.strictObject({
  sequence: sequence.describe("By id, or by its exact name."),
  sender: sender.optional().describe("By default as the preset says."),
  presetId: settingId.optional(),
  ifAlreadyEnrolled: z
    .enum(IF_ALREADY_ENROLLED)
    .optional()
    .describe(
      "What becomes of a contact who is in a sequence: skip it, fail, wait for the end, or replace that sequence, where the account has set unenrolling up.",
    ),
  cooldownDays: z.int().min(0).max(MAX_COOLDOWN_DAYS).optional(),
  notBefore: z.iso.datetime({ offset: true }).optional().describe("Not to be enrolled before."),
  reference: z.string().min(1).max(200).optional().describe("The caller's own name for it, given back."),
});

/** One enrollment as it is asked for. */
export const enrollmentBody = enrollmentDefaults.extend({
  contact: contactField.describe("By HubSpot's id, or by email address."),
});

const nullableText = z.string().nullable();

/** An enrollment as it is answered. */
export const enrollmentAnswer = z.object({
  id: z.string(),
  source: z.enum(SOURCES),
  status: z.enum(ENROLLMENT_STATES),
  reason: z.object({ code: z.string(), message: z.string() }).nullable(),
  contact: z.object({ id: nullableText, email: nullableText }),
  sequence: z.object({ id: z.string(), name: nullableText }).nullable(),
  sender: z.object({ userId: z.string(), name: z.string(), email: nullableText }).nullable(),
  workflowId: nullableText,
  importId: nullableText,
  reference: nullableText,
  hubspotEnrollmentId: nullableText,
  createdAt: timeField,
  startedAt: timeField.nullable(),
  updatedAt: timeField,
  enrolledAt: timeField.nullable(),
  dueAt: timeField.nullable(),
  ended: z
    .object({ at: timeField, outcome: z.enum(["FINISHED", "REPLIED", "UNENROLLED"]) })
    .nullable()
    .describe("How the sequence ended for the contact, where it is known."),
});
