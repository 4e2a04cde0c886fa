import { z } from "zod";
import {
  IF_ALREADY_ENROLLED,
  LONGEST_ADDRESS,
  MAX_COOLDOWN_DAYS,
  SENDER_MODES,
} from "#domain/contract/actions/enroll-contract.js";
import { isPointInTime } from "#domain/contract/point-in-time.js";

const id = z.string().regex(/^\d{1,19}$/, "This is no id.");

/** An enrollment without its contact: what applies to every row that says nothing else. */
export const enrollmentDefaultsSchema = z.strictObject({
  sequence: z
    .union([z.strictObject({ id }), z.strictObject({ name: z.string().min(1).max(1_000) })])
    .optional(),
  sender: z
    .strictObject({
      mode: z.enum(SENDER_MODES).optional(),
      userId: id.optional(),
      email: z.string().max(LONGEST_ADDRESS).optional(),
      rotationId: id.optional(),
      alias: z.string().max(LONGEST_ADDRESS).optional(),
    })
    .optional(),
  presetId: id.optional(),
  ifAlreadyEnrolled: z.enum(IF_ALREADY_ENROLLED).optional(),
  cooldownDays: z.number().int().min(0).max(MAX_COOLDOWN_DAYS).optional(),
  notBefore: z.string().max(40).refine(isPointInTime, "This is no date.").optional(),
  reference: z.string().max(200).optional(),
});

export type EnrollmentDefaults = z.output<typeof enrollmentDefaultsSchema>;
