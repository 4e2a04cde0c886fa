import { readHubSpotDate } from "#platform/hubspot/wire/hubspot-date.js";
import { DAY_MS } from "#platform/time/units.js";

/**
 * What a contact's properties say about its latest sequence (docs/hubspot.md §7.1). They lag behind by tens of seconds.
 */
export interface SequenceFacts {
  readonly isEnrolled: boolean;
  readonly sequenceId: string | undefined;
  readonly enrolledAt: Date | undefined;
  /** About the latest sequence that ended, which may be older than the one of `enrolledAt`. */
  readonly endedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly unenrolledAt: Date | undefined;
  readonly repliedAt: Date | undefined;
}

type Properties = Readonly<Record<string, string | null>>;

/** Contact properties that show whether our enrollment took effect, even if it has ended. */
export const DOUBT_PROPERTIES = [
  "hs_sequences_is_enrolled",
  "hs_sequences_enrolled_count",
  "hs_latest_sequence_enrolled",
  "hs_latest_sequence_enrolled_date",
  "hs_latest_sequence_ended_date",
] as const;

/**
 * What the call said about the contact's sequences before anything was sent for it: whatever it shows was certainly not
 * caused by this call or its retries.
 */
export function sequencesBefore({
  properties,
  sequencesBefore: kept,
}: {
  readonly properties?: Properties;
  readonly sequencesBefore?: Properties;
}): Properties {
  return kept ?? properties ?? {};
}

/**
 * Reads SEQUENCE_PROPERTIES (wait-contract.ts).
 *
 * @param now when they were read, by HubSpot's clock or the database's; undefined: not known.
 */
export function readSequenceFacts(properties: Properties, now: Date | undefined): SequenceFacts {
  const instant = (name: string): Date | undefined => readHubSpotDate(properties[name], now);
  return {
    isEnrolled: properties["hs_sequences_is_enrolled"] === "true",
    sequenceId: properties["hs_latest_sequence_enrolled"] ?? undefined,
    enrolledAt: instant("hs_latest_sequence_enrolled_date"),
    endedAt: instant("hs_latest_sequence_ended_date"),
    finishedAt: instant("hs_latest_sequence_finished_date"),
    unenrolledAt: instant("hs_latest_sequence_unenrolled_date"),
    repliedAt: instant("hs_sales_email_last_replied"),
  };
}

/** Whether `at` is known and not before `since`. */
export function isSince(at: Date | undefined, since: Date | undefined): at is Date {
  return at !== undefined && since !== undefined && at.getTime() >= since.getTime();
}

/**
 * Whether an enrollment that HubSpot's lookup shows has ended. What the lookup answers after a sequence's end is not
 * published; it may be the ended enrollment. The properties tell once they know; until then the enrollment counts as
 * running, since it just began.
 */
export function hasEnded(
  { enrolledAt }: { readonly enrolledAt: Date | undefined },
  facts: SequenceFacts,
): boolean {
  if (isSince(facts.endedAt, enrolledAt)) return true;
  return !facts.isEnrolled && isSince(facts.enrolledAt, enrolledAt);
}

/** A sequence that has the contact now, as HubSpot's lookup shows it; without an id it is not known which. */
export interface CurrentSequence {
  readonly sequenceId?: string | undefined;
  readonly sequenceName?: string | null | undefined;
}

/** Whole days between two instants, as the outputs count them. */
export function wholeDays(from: Date, to: Date): number {
  return Math.max(0, Math.floor((to.getTime() - from.getTime()) / DAY_MS));
}
