import { z } from "zod";
import { cutText } from "../storable-text.js";

export const MOST_RECIPIENTS = 10;
const LONGEST_ADDRESS = 254;
const SHOWN = 80;

/** Addresses as one text holds them, apart by commas; each once. */
export function readRecipients(text: string): string[] {
  const addresses = text.split(",").map((address) => address.trim());
  return [...new Set(addresses.filter((address) => address !== ""))];
}

/** Why mail cannot go to what was typed, as a sentence for the form; undefined where it can, or nothing was typed. */
export function recipientsProblem(text: string): string | undefined {
  const addresses = readRecipients(text);
  if (addresses.length > MOST_RECIPIENTS) return `Enter ${MOST_RECIPIENTS} addresses at most.`;
  const wrong = addresses.find((address) => !z.email().max(LONGEST_ADDRESS).safeParse(address).success);
  if (wrong === undefined) return undefined;
  const shown = wrong.length <= SHOWN ? wrong : `${cutText(wrong, SHOWN - 1)}…`;
  return `“${shown}” is not an e-mail address. It should look like ops@example.com.`;
}
