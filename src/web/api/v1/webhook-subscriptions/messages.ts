import { z } from "zod";
import { ERROR_CODES } from "#domain/contract/error-codes.js";
import { TEST_EVENT, type WebhookEvent } from "#domain/subscriptions/events.js";
import { timeField } from "#web/api/kit/fields.js";
import type { MessageDoc } from "#web/api/kit/openapi.js";
import { enrollmentAnswer } from "../enrollments/enrollment-body.js";

const portal = { portalId: z.string() };
const sender = z.object({
  userId: z.string(),
  email: z.string(),
  reason: z.object({ code: z.enum(ERROR_CODES), message: z.string() }),
});

/** What is posted to subscribed addresses: the type of each message, when it is sent, and its data. */
const MESSAGES: Readonly<Record<WebhookEvent | typeof TEST_EVENT, readonly [when: string, data: z.ZodType]>> =
  {
    "enrollment.enrolled": ["A contact was enrolled", enrollmentAnswer],
    "enrollment.refused": [
      "A contact was not enrolled: already enrolled, skipped, failed or canceled",
      enrollmentAnswer,
    ],
    "enrollment.ended": ["The end of an enrollment became known", enrollmentAnswer],
    "portal.disconnected": ["The account was disconnected", z.object({ ...portal, reason: z.string() })],
    "portal.reconnected": ["The account is connected again", z.object(portal)],
    "sender.refused": ["HubSpot refuses to enroll contacts with a sender", sender],
    [TEST_EVENT]: ["Somebody asked for a test", z.object({ message: z.string() })],
  };

/** The messages as the OpenAPI document has them. */
export const WEBHOOK_MESSAGES: readonly MessageDoc[] = Object.entries(MESSAGES).map(
  ([type, [summary, data]]) => ({
    type,
    summary,
    body: z.object({ type: z.literal(type), timestamp: timeField.describe("When it happened."), data }),
  }),
);
