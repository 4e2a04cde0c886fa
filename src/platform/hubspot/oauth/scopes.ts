/** Scopes every account has to grant; a test compares `app-config/` with this list (docs/hubspot.md §2.9). */
export const REQUIRED_SCOPES = [
  "oauth",
  "automation",
  "automation.sequences.read",
  "automation.sequences.enrollments.write",
  "crm.objects.contacts.read",
  "crm.objects.owners.read",
] as const;

/** Requested, but optional if the account cannot grant it: the list of users, for names instead of user ids. */
export const OPTIONAL_SCOPES = ["settings.users.read"] as const;

/** Requested only once an admin switches unenrolling on: for the contact property that starts the helper workflow. */
export const UNENROLL_SCOPES = ["crm.schemas.contacts.write", "crm.objects.contacts.write"] as const;

/** Requested only once an admin wants to import a segment: for its members. */
export const SEGMENT_SCOPES = ["crm.lists.read"] as const;

/** What an admin can switch on that needs further permissions, by its name in the address of the install. */
export const FEATURE_SCOPES = { unenroll: UNENROLL_SCOPES, segments: SEGMENT_SCOPES } as const;
export type Feature = keyof typeof FEATURE_SCOPES;

/** Lets us read who the account's users are, and which of them are super admins. */
export const USER_LIST_SCOPE = OPTIONAL_SCOPES[0];
