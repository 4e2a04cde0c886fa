import { z } from "zod";
import { enrollmentFields } from "#domain/enrollments/enrollment-fields.js";
import { isPointInTime } from "#domain/contract/point-in-time.js";

const { sequence, ...fields } = enrollmentFields.shape;

/** An enrollment without its contact: what applies to every row that says nothing else. Dates as rows may have them. */
export const enrollmentDefaultsSchema = z.strictObject({
  ...fields,
  sequence: sequence.optional(),
  notBefore: z.string().max(40).refine(isPointInTime, "is no date").optional(),
});

export type EnrollmentDefaults = z.output<typeof enrollmentDefaultsSchema>;
