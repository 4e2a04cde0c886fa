import { z } from "zod";
import {
  IF_ALREADY_ENROLLED,
  LONGEST_ADDRESS,
  MAX_COOLDOWN_DAYS,
  SENDER_MODES,
  type SenderMode,
} from "#domain/contract/actions/enroll-contract.js";

/** An id as text or as a number. */
const id = (digits: RegExp) =>
  z.union([z.string().regex(digits, "must be an id of digits"), z.int().nonnegative()]).transform(String);
/** From HubSpot, and our own. */
const [hubspotId, ownId] = [id(/^\d{1,19}$/), id(/^\d{1,18}$/)];
const email = z.email("must be an email address").max(LONGEST_ADDRESS);

/** Exactly one of two fields. */
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

/** Whom to enroll. */
export const contactField = z
  .strictObject({ id: hubspotId.optional(), email: email.optional() })
  .refine(byIdOrEmail.check, byIdOrEmail.message)
  .meta(byIdOrEmail.documented)
  .transform(({ id: contactId, email: address }) =>
    contactId === undefined ? { email: address ?? "" } : { id: contactId },
  );

const sequence = z
  .strictObject({ id: hubspotId.optional(), name: z.string().min(1).max(500).optional() })
  .refine(byIdOrName.check, byIdOrName.message)
  .meta(byIdOrName.documented)
  .transform(({ id: sequenceId, name }) =>
    sequenceId === undefined ? { name: name ?? "" } : { id: sequenceId },
  );

interface SenderFields {
  readonly mode?: SenderMode | undefined;
  readonly userId?: string | undefined;
  readonly email?: string | undefined;
  readonly rotationId?: string | undefined;
}

/** What a sender without a mode can only mean; undefined: nothing. */
function modeOf({ mode, userId, email: address, rotationId }: SenderFields): SenderMode | undefined {
  if (mode !== undefined) return mode;
  if (userId !== undefined || address !== undefined) return "specific_user";
  return rotationId === undefined ? undefined : "rotation";
}

const sender = z
  .strictObject({
    mode: z
      .enum(SENDER_MODES)
      .optional()
      .describe("May be left out where userId, email or rotationId says it."),
    userId: ownId.optional().describe("Of mode specific_user: HubSpot's id of the user."),
    email: email.optional().describe("Of mode specific_user, instead of userId: the user's address."),
    rotationId: ownId.optional().describe("Of mode rotation."),
    alias: email.optional().describe("Address of the sender's that is shown instead of the inbox's own."),
  })
  .refine((given) => modeOf(given) !== undefined, { message: "needs a mode" })
  .refine(({ mode, userId, email: address }) => mode !== "specific_user" || userId || address, {
    message: "needs userId or email with mode specific_user",
  })
  .refine(({ mode, rotationId }) => mode !== "rotation" || rotationId !== undefined, {
    message: "needs rotationId with mode rotation",
  })
  .transform((given) => ({ ...given, mode: modeOf(given) ?? "portal_default" }));

/** What is asked for of one enrollment besides whom: of the API, and as what applies to every row of an import. */
export const enrollmentFields = z.strictObject({
  sequence: sequence.describe("By id, or by its exact name."),
  sender: sender.optional().describe("By default as the preset says."),
  presetId: ownId.optional(),
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
