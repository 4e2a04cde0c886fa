import { z } from "zod";
import { contactField, enrollmentFields } from "#domain/enrollments/enrollment-fields.js";
import { SOURCES } from "#domain/contract/execution.js";
import { ENROLLMENT_STATES } from "#domain/enrollments/enrollment-state.js";
import { timeField } from "#web/api/kit/fields.js";

/** One enrollment as it is asked for. */
export const enrollmentBody = enrollmentFields.extend({
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
