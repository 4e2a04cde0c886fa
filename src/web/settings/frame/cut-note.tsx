import type { PeopleList } from "#domain/directory/people.js";

/** Below a list of people: says so if not everybody is in it. */
export function CutNote({ list }: { list: PeopleList }) {
  if (!list.isCut) return null;
  const count = list.people.length.toLocaleString("en-US");
  return <p class="note">Showing the first {count} users. The account has more.</p>;
}
