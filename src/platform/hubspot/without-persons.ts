/** An address, also one that is escaped as in a URL, or an id of a record: statuses, counts and years are shorter. */
const PERSON = /([^\s@<>()"'“”,;:=/?&%]{1,64}(?:@|%40)[^\s@<>()"'“”,;:=/?&%]{1,255})|\d{5,}/gi;

/**
 * HubSpot's words without addresses and ids, for what is kept of an account and not of a contact: they may quote the contact
 * that the request was for, and outlive its deletion there.
 *
 * @param keep an address that may stay, in any spelling.
 */
export function withoutPersons(words: string, keep?: string): string {
  return words.replace(PERSON, (found, address: string | undefined) => {
    if (address === undefined) return "(a number)";
    const isKept = address.replace(/\.{1,3}$/, "").toLowerCase() === keep?.toLowerCase();
    return isKept ? found : "(an address)";
  });
}
