/** The records of a simulated HubSpot account. Three ids for one person, as on the real platform (docs/hubspot.md §11). */
export interface SimulatedUser {
  /** What the sequences API wants as `userId`. */
  readonly userId: number;
  email: string;
  firstName: string;
  lastName: string;
  superAdmin: boolean;
  /** May authorize apps without being a super admin (the Marketplace-access permission). */
  canInstallApps: boolean;
  seatNames: string[];
  hasConnectedInbox: boolean;
  /** Address of the connected personal inbox; may differ from the login email. */
  inboxAddress: string;
  aliases: string[];
  /** Seat and permission to use sequences. */
  hasSequencesPermission: boolean;
  /** Enrollments a day; undefined leaves it to the portal-wide limit per inbox. */
  dailyLimit: number | undefined;
  active: boolean;
}

export interface SimulatedOwner {
  /** Value of `hubspot_owner_id`; never equal to the user id. */
  readonly ownerId: string;
  readonly type: "PERSON" | "QUEUE";
  /** Undefined for queues. */
  readonly userId: number | undefined;
  readonly createdAtMs: number;
  email: string;
  firstName: string;
  lastName: string;
  /** Archived owners answer with no `userId` and keep `userIdIncludingInactive`. */
  archived: boolean;
}

export interface SimulatedSequence {
  readonly id: string;
  name: string;
  /** The user who made it. */
  readonly userId: number;
  readonly folderId: string | undefined;
  readonly createdAtMs: number;
  /** "all", or the users it is shared with (its creator always sees it). */
  visibleTo: "all" | readonly number[];
  deleted: boolean;
}

export type Suppression = "unsubscribed" | "bounced" | "blocked";

export interface SimulatedContact {
  readonly id: string;
  readonly createdAtMs: number;
  updatedAtMs: number;
  /** As written; the API shows the `hs_sequences_*` ones later. */
  readonly properties: Record<string, string | null>;
  /** Why HubSpot would refuse to send to it. */
  suppression: Suppression | undefined;
  /** Property changes not visible yet, oldest first. */
  pending: { visibleAtMs: number; values: Record<string, string | null> }[];
}

/** How an enrollment ended. */
export type EnrollmentEnd = "finished" | "unenrolled" | "replied";

export interface SimulatedEnrollment {
  readonly id: string;
  readonly contactId: string;
  readonly sequenceId: string;
  readonly sequenceName: string;
  readonly userId: number;
  readonly senderEmail: string;
  readonly senderAliasAddress: string | undefined;
  readonly toEmail: string;
  readonly enrolledAtMs: number;
  updatedAtMs: number;
  /** From when the lookup shows it, by HubSpot's clock. */
  readonly shownFromMs: number;
  /** Undefined while it runs. */
  ended: EnrollmentEnd | undefined;
}
