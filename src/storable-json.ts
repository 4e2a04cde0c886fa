/** Escapes of JSON, one per match: a NUL, a surrogate pair, a lone surrogate, or any other. */
const ESCAPE =
  /\\(?:u0000|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[dD][89a-fA-F][\da-fA-F]{2}|.)/gs;

function storable(escape: string): string {
  if (escape === "\\u0000") return "";
  return escape.length === 6 && /^\\u[dD]/.test(escape) ? "\\ufffd" : escape;
}

/**
 * Parses JSON that came from outside into text that PostgreSQL can hold, names of members included: it has no NUL and
 * no half of a surrogate pair, and one such row would fail every row written together with it.
 *
 * @throws SyntaxError where it is no JSON.
 */
export function parseStorableJson(text: string): unknown {
  return JSON.parse(/\\u(?:0000|[dD][89a-fA-F])/.test(text) ? text.replace(ESCAPE, storable) : text);
}
