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
 * Why a contact is sent as whom: stored with the execution as `sender_choice`, shown on its page. `passedOver` holds
 * those who were considered first, in order, each with an error code and a sentence.
 */
export const senderChoiceSchema = z.object({
  chosen: z
    .object({ userId: z.string(), via: z.enum(CANDIDATE_VIAS), rotationName: z.string().optional() })
    .nullable(),
  passedOver: z.array(
    z.object({
      /** Absent where there is no such person, e.g. a contact without owner. */
      userId: z.string().optional(),
      via: z.enum(CANDIDATE_VIAS),
      code: z.string(),
      reason: z.string(),
      /** When the candidate could send, where that is only a matter of time; ISO 8601. */
      freeAt: z.string().optional(),
    }),
  ),
  /** How many more were passed over, whom nobody would read of. */
  morePassedOver: z.number().optional(),
});

export type StoredSenderChoice = z.output<typeof senderChoiceSchema>;
export type CandidateVia = (typeof CANDIDATE_VIAS)[number];
