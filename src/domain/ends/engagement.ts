import { readHubSpotDate } from "#platform/hubspot/wire/hubspot-date.js";
import { isWithin, type EnrollmentStretch } from "./how-ended.js";

/** Contact properties that show what a contact did last (docs/hubspot.md §7.1). */
const PROPERTIES = {
  openedAt: "hs_sales_email_last_opened",
  clickedAt: "hs_sales_email_last_clicked",
  repliedAt: "hs_sales_email_last_replied",
  meetingAt: "engagements_last_meeting_booked",
} as const;

export const ENGAGEMENT_PROPERTIES: readonly string[] = Object.values(PROPERTIES);

/** What a contact did during an enrollment, as far as its properties show. */
export type Engagement = Readonly<Record<keyof typeof PROPERTIES, Date | undefined>>;

/** Only what lies in the stretch: the properties keep what was done last, whenever that was. */
export function readEngagement(
  properties: Readonly<Record<string, string | null>>,
  stretch: EnrollmentStretch,
  now: Date,
): Engagement {
  const during = (name: string): Date | undefined => {
    const at = readHubSpotDate(properties[name], now);
    return isWithin(at, stretch) ? at : undefined;
  };
  return {
    openedAt: during(PROPERTIES.openedAt),
    clickedAt: during(PROPERTIES.clickedAt),
    repliedAt: during(PROPERTIES.repliedAt),
    meetingAt: during(PROPERTIES.meetingAt),
  };
}
