/** Whom a browser stands for: a user HubSpot vouched for, in the one portal they signed in to. */
export interface SessionIdentity {
  portalId: bigint;
  userId: bigint | null;
  userEmail: string | null;
}
