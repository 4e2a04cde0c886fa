/** A grant that cannot be read is replaced by a new one; for anything else nobody but the operator can do a thing. */
const MENDED_BY_A_NEW_GRANT = new Set(["VAULT_KEY_UNKNOWN", "VAULT_SEAL_BROKEN"]);

export const isMendedByNewGrant = (cause: string): boolean => MENDED_BY_A_NEW_GRANT.has(cause);

/** What a fault of our own does, and who can mend it. */
export function ownFaultWords(cause: string): string {
  if (cause.startsWith("DATABASE_"))
    return "Its database isn't working. We've been notified; there's nothing you need to do.";
  return isMendedByNewGrant(cause)
    ? "We can't read this account's authorization because of a problem on our end. We've been notified; reconnecting the account also fixes it."
    : "HubSpot isn't accepting the app's credentials. We've been notified; there's nothing you need to do.";
}
