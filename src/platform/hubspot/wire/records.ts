import { z } from "zod";
import { cutText } from "#platform/text/storable-text.js";
import { readHubSpotDate } from "./hubspot-date.js";

/** Ids are stored in keys and indexes, which take no text of any length; HubSpot's have 20 digits at most. */
const id = z.union([z.string().max(100), z.number()]).transform(String);
const userId = z
  .union([z.string().regex(/^0{0,17}[1-9]\d{0,17}$/), z.number().int().positive()])
  .transform(BigInt);
/** The value in place of a missing user. */
const noUser = z.literal([0, "0", "", null]).transform(() => null);
const maybeUserId = userId
  .or(noUser)
  .optional()
  .transform((given) => given ?? null);
/** In characters: names and addresses are shown in lists of many, and HubSpot's are shorter. */
const LONGEST_TEXT = 1_000;
const name = z.string().transform((value) => cutText(value, LONGEST_TEXT));
const text = name.nullish().transform((value) => value ?? null);
/** Only for display: a value of another type counts as missing. */
const words = text.catch(null);
/** Undefined if it is impossible. It is not compared with this machine's clock, which may itself be wrong. */
const instant = z
  .unknown()
  .optional()
  .transform((value) => readHubSpotDate(value));
/** As workflow steps name it: with another form it could be chosen, but no call with it would be accepted. */
const sequenceId = id.pipe(z.string().regex(/^\d{1,20}$/));
export const listedSequence = z.object({
  id: sequenceId,
  name,
  folderId: id.nullish(),
  createdAt: instant.optional(),
  updatedAt: instant.optional(),
});
const number = z.number().nullish().catch(null);
const sequenceStep = z.object({
  stepOrder: number,
  delayMillis: number,
  actionType: words,
  emailPattern: z
    .object({ templateId: id.nullish().catch(null) })
    .nullish()
    .catch(null),
  taskPattern: z.object({ taskType: words, taskPriority: words, subject: words }).nullish().catch(null),
});
/** A sequence with what it does and when; what HubSpot shows in another form counts as missing. */
export const sequenceInFull = listedSequence.extend({
  steps: z.array(sequenceStep).catch([]),
  settings: z
    .object({
      eligibleFollowUpDays: words,
      sendWindowStartMinute: number,
      sendWindowEndMinute: number,
      taskReminderMinute: number,
      individualTaskRemindersEnabled: z.boolean().nullish().catch(null),
    })
    .nullish()
    .catch(null),
});
export const newEnrollment = z.object({ id, enrolledAt: instant });
export const currentEnrollment = z.object({
  id,
  sequenceId: id,
  sequenceName: words,
  enrolledAt: instant,
  enrolledBy: id.nullish().catch(undefined),
  enrolledByEmail: words,
  toEmail: words,
});
const ownerRecord = z.object({
  id,
  userId: maybeUserId,
  userIdIncludingInactive: maybeUserId.catch(null),
  email: text,
  firstName: text,
  lastName: text,
  type: z
    .string()
    .nullish()
    .transform((type) => type ?? "PERSON"),
  archived: z
    .boolean()
    .nullish()
    .transform((archived) => archived ?? false),
});
/** Archived owners have lost their `userId`: `userIdIncludingInactive` says whose they were. */
export const owner = ownerRecord.transform(({ userIdIncludingInactive, ...owner }) => ({
  ...owner,
  userId: owner.userId ?? userIdIncludingInactive,
}));
export const user = z.object({
  id: userId,
  email: text,
  firstName: text,
  lastName: text,
  // The rights of an account's admins depend on it: a record without it is left out, and what we knew stays.
  superAdmin: z.boolean(),
  seatNames: z
    .array(z.string())
    .nullish()
    .transform((names) => names ?? []),
});
/** HubSpot's values are text; a number or a boolean means the same. */
const propertyValue = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)])
  .nullable();
export const contact = z.object({ properties: z.record(z.string(), propertyValue) });
export const identifiedContact = contact.extend({ id });
export const identified = z.object({ id });
export const account = z.object({ timeZone: text, uiDomain: text });

export type ListedSequence = z.output<typeof listedSequence>;
export type SequenceInFull = z.output<typeof sequenceInFull>;
export type NewEnrollment = z.output<typeof newEnrollment>;
export type CurrentEnrollment = z.output<typeof currentEnrollment>;
export type Owner = z.output<typeof owner>;
export type User = z.output<typeof user>;
