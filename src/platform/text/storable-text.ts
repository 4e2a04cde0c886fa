/** Replaces what cannot be stored; Unicode uses it for what cannot be read. */
export const REPLACEMENT = "\ufffd";

/** A NUL, or half of a surrogate pair: PostgreSQL's text and jsonb take neither. */
const NOT_STORABLE = /\0|\p{Surrogate}/gu;

/** The text as PostgreSQL can hold it, at most `longest` UTF-16 units of it. No character is cut in half. */
export function cutText(text: string, longest: number): string {
  const cut = text.slice(0, longest);
  const isInsidePair = text.length > longest && /[\ud800-\udbff]$/.test(cut);
  return (isInsidePair ? cut.slice(0, -1) : cut).replace(NOT_STORABLE, REPLACEMENT);
}
