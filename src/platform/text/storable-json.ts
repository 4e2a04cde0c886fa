import { REPLACEMENT } from "./storable-text.js";

/** Escapes of JSON, one per match: a NUL, a surrogate pair, a lone surrogate, or any other. */
const ESCAPE =
  /\\(?:u0000|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[dD][89a-fA-F][\da-fA-F]{2}|.)/gs;

function storable(escape: string): string {
  return escape.length === 6 && /^\\u(?:0000|[dD])/.test(escape) ? REPLACEMENT : escape;
}

/**
 * A text, which is skipped, or an integer with more digits than a double keeps: HubSpot's ids have 64 bits. A text ends
 * at the latest with the input: if the closing quote were required, an input without one would be retried from each
 * quote in it.
 */
const TEXT_OR_LARGE_INTEGER =
  /"(?:[^"\\]|\\.)*(?:"|\\?$)|(?<![\d.eE+-])\d{16,}(?![\d.eE])|(?<![\d.eE])-\d{16,}(?![\d.eE])/gs;

/** Turns integers that are too large for a number into texts, so that an id keeps every digit. */
function quoteLargeIntegers(text: string): string {
  if (!/\d{16}/.test(text)) return text;
  return text.replace(TEXT_OR_LARGE_INTEGER, (token) => (token.startsWith('"') ? token : `"${token}"`));
}

/**
 * Parses JSON that came from outside into text that PostgreSQL can hold, names of members included: PostgreSQL takes no
 * NUL and no half of a surrogate pair, and one such row would fail every row written with it. They become REPLACEMENT.
 *
 * Integers of 16 digits and more become texts of those digits.
 *
 * @throws SyntaxError if it is not JSON.
 */
export function parseStorableJson(text: string): unknown {
  const exact = quoteLargeIntegers(text);
  return JSON.parse(/\\u(?:0000|[dD][89a-fA-F])/.test(exact) ? exact.replace(ESCAPE, storable) : exact);
}

/** The same; undefined if the text is no JSON. */
export function readStorableJson(text: string): unknown {
  try {
    return parseStorableJson(text);
  } catch {
    return undefined;
  }
}
