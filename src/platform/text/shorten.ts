/** Names from outside can be of any length; whole on the execution's own page, shortened in lists. */
export function shorten(text: string, longest: number): string {
  // A character takes at most two units: whatever the slice leaves out is past the end of the shown part.
  const characters = [...text.slice(0, 2 * longest + 2)];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join("")}…`;
}
