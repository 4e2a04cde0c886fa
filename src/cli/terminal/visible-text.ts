/**
 * What a terminal could obey instead of show: control characters (C0, DEL, C1), and the marks that turn the direction of
 * writing, with which a name could make a line read differently from what it says.
 */

const OBEYED = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text from outside on one line, safe to show: blanks for line breaks and tabs, U+FFFD for anything else obeyed. */
export function visibleText(text: string): string {
  return text.replace(OBEYED, (character) =>
    /[\t\n\v\f\r\u0085\u2028\u2029]/.test(character) ? " " : "\uFFFD",
  );
}

/** JSON on one line whose every byte is safe to show: what JSON leaves as it is and a terminal obeys is escaped. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
