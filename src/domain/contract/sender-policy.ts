import { z } from "zod";
import type { UserId } from "#platform/ids/branded-ids.js";

/** What an admin decided about one user as a sender, with the defaults filled in. */
export interface SenderPolicy {
  readonly userId: UserId;
  readonly isAllowed: boolean;
  /** Address of the connected inbox, if it is not the sign-in address. */
  readonly sendAsEmail: string | null;
  readonly senderAlias: string | null;
  /** Enrollments in any 24 hours. */
  readonly dailyCap: number;
  /** Undefined: at any time. */
  readonly window: SendWindow | undefined;
  /** Days the sender is away, both ends included, as `YYYY-MM-DD` in `timeZone`. */
  readonly away: readonly AwayDates[];
  /** IANA name; the sender's own, else the portal's, else UTC. */
  readonly timeZone: string;
  /** HubSpot's last refusal of this sender, until an admin or a success clears it. */
  readonly refusal: SenderRefusal | undefined;
  /** HubSpot said that the sender is over its own limit: skipped until then. */
  readonly limitedUntil: Date | undefined;
}

export interface SendWindow {
  /** 1 Monday to 7 Sunday; all seven if the admin named none. */
  readonly days: readonly number[];
  /** Minutes after midnight; the end is exclusive, 1,440 is midnight. */
  readonly startMinute: number;
  readonly endMinute: number;
}

export interface AwayDates {
  readonly from: string;
  readonly to: string;
}

/** A day as the calendar has it. */
const day = z.iso.date();

/** The column `senders.away`. */
export const awayDatesSchema = z.array(z.object({ from: day, to: day }));

export interface SenderRefusal {
  readonly code: "INBOX_NOT_CONNECTED" | "SENDER_NOT_PERMITTED";
  readonly message: string | null;
  readonly at: Date;
}

/** Applies if an admin sets no cap. */
export const DEFAULT_DAILY_CAP = 400;
/** HubSpot enrolls at most this many a day from one inbox (docs/hubspot.md §5.5). */
export const MAX_DAILY_CAP = 1_000;
