/** A grant that cannot be read is replaced by a new one; for anything else nobody but the operator can do a thing. */
const MENDED_BY_A_NEW_GRANT = new Set(["VAULT_KEY_UNKNOWN", "VAULT_SEAL_BROKEN"]);

export const isMendedByNewGrant = (cause: string): boolean => MENDED_BY_A_NEW_GRANT.has(cause);

/** What a fault of our own does, and who can mend it. */
export function ownFaultWords(cause: string): string {
  if (cause.startsWith("DATABASE_"))
    return "Its database does not let it work. Its operator has been told and has to mend it; there is nothing to do in this account.";
  return isMendedByNewGrant(cause)
    ? "Sequence Enroller cannot read this account's authorization, because of a fault of its own. Its operator has been told and has to mend it; connecting the account again helps, too."
    : "HubSpot does not accept Sequence Enroller's own credentials. Its operator has been told and has to mend it; there is nothing to do in this account.";
}
