/** Whom a browser stands for: a user HubSpot vouched for, in the one portal they signed in to. */
export interface SessionIdentity {
  portalId: bigint;
  userId: bigint | null;
  userEmail: string | null;
}

/** Somebody whom HubSpot has just named to us. */
export interface SignIn {
  readonly by: SessionIdentity;
  /** False if HubSpot could not be asked who they are in the account: then there is no session. */
  readonly isOpen: boolean;
  /** They connected the account by the same step, which has an entry of its own. */
  readonly isConnecting: boolean;
}
