import type { PeopleList } from "#domain/directory/people.js";

/** Below a list of people: says so if not everybody is in it. */
export function CutNote({ list }: { list: PeopleList }) {
  if (!list.isCut) return null;
  const count = list.people.length.toLocaleString("en-US");
  return <p class="note">This list holds {count} people. More are in the account than can be listed here.</p>;
}
