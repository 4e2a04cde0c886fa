/** An address, also escaped as in a URL, or a record's id: statuses, counts and years are shorter. */
const PERSON = /([^\s@<>()"'“”,;:=/?&%]{1,64}(?:@|%40)[^\s@<>()"'“”,;:=/?&%]{1,255})|\d{5,}/gi;

/**
 * HubSpot's message without addresses and ids, for records about an account instead of a contact: it may quote the
 * request's contact, and would outlive that contact's deletion.
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
