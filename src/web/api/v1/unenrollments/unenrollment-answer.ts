import { z } from "zod";
import { UNENROLLMENT_STATUSES } from "#domain/unenroll/read-unenrollment.js";

/** An unenrollment as it is answered. */
export const unenrollmentAnswer = z.object({
  id: z.string(),
  contactId: z.string().nullable().describe("Null once the contact was erased."),
  status: z
    .enum(UNENROLLMENT_STATUSES)
    .describe(
      "PENDING: under way, for some minutes. UNENROLLED: out of its sequence. NOT_ENROLLED: it was in none. NOT_SUPPORTED: the account cannot unenroll now. TIMED_OUT: given up before HubSpot showed the contact out of its sequence.",
    ),
  reason: z
    .object({ code: z.string(), message: z.string() })
    .nullable()
    .describe("Why it was given up, or found nobody: CANCELLED, CONTACT_NOT_FOUND and the like."),
});
