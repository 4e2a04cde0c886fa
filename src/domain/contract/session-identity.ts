import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/** Who uses a browser: a user HubSpot vouched for, in the one portal they signed in to. */
export interface SessionIdentity {
  portalId: PortalId;
  userId: UserId | null;
  userEmail: string | null;
}

/** A user whom HubSpot has just identified. */
export interface SignIn {
  readonly by: SessionIdentity;
  /** False if HubSpot could not be asked who the user is in the account; then there is no session. */
  readonly isOpen: boolean;
  /** They connected the account by the same step, which has an entry of its own. */
  readonly isConnecting: boolean;
}
