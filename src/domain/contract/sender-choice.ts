import { z } from "zod";

/** How a candidate came to be considered. */
export const CANDIDATE_VIAS = [
  "contact_owner",
  "contact_property",
  "specific_user",
  "rotation",
  "kept_sender",
  "fallback_rotation",
  "default_sender",
] as const;

/**
 * Which sender a contact got, and why: stored with the execution as `sender_choice` and shown on its page. `passedOver`
 * lists the candidates considered earlier, in order, each with an error code and a sentence.
 */
export const senderChoiceSchema = z.object({
  chosen: z
    .object({ userId: z.string(), via: z.enum(CANDIDATE_VIAS), rotationName: z.string().optional() })
    .nullable(),
  passedOver: z.array(
    z.object({
      /** Absent if there is no such person, e.g. a contact without owner. */
      userId: z.string().optional(),
      via: z.enum(CANDIDATE_VIAS),
      code: z.string(),
      reason: z.string(),
      /** When the candidate can send, if only time is in the way; ISO 8601. */
      freeAt: z.string().optional(),
    }),
  ),
  /** How many more were skipped without being listed: nobody would read that many. */
  morePassedOver: z.number().optional(),
});

export type StoredSenderChoice = z.output<typeof senderChoiceSchema>;
export type CandidateVia = (typeof CANDIDATE_VIAS)[number];
