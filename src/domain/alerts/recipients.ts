import { z } from "zod";
import { cutText } from "#platform/text/storable-text.js";

export const MOST_RECIPIENTS = 10;
const LONGEST_ADDRESS = 254;
const SHOWN = 80;

/** Two spellings of one mailbox that practically every mail server treats alike have the same key. */
export function addressKey(address: string): string {
  return address.toLowerCase();
}

/** The addresses in a text, separated by commas; each once, as first written. */
export function readRecipients(text: string): string[] {
  const addresses = new Map<string, string>();
  for (const part of text.split(",")) {
    const address = part.trim();
    if (address !== "" && !addresses.has(addressKey(address))) addresses.set(addressKey(address), address);
  }
  return [...addresses.values()];
}

/** Why mail cannot go to what was typed, as a sentence for the form; undefined if it can, or if nothing was typed. */
export function recipientsProblem(text: string): string | undefined {
  const addresses = readRecipients(text);
  if (addresses.length > MOST_RECIPIENTS) return `Enter ${MOST_RECIPIENTS} addresses at most.`;
  const wrong = addresses.find((address) => !z.email().max(LONGEST_ADDRESS).safeParse(address).success);
  if (wrong === undefined) return undefined;
  const shown = wrong.length <= SHOWN ? wrong : `${cutText(wrong, SHOWN - 1)}…`;
  return `“${shown}” is not an email address. It should look like ops@example.com.`;
}
