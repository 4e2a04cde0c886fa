import { ForAdmins } from "../session/view-only.js";
import type { ComponentChildren } from "preact";
import { MOST_PEOPLE_LISTED } from "#domain/directory/people.js";
import type { Choice } from "../frame/fields.js";
import { shortLabel, type Nameable } from "../words/names.js";
import { NEW_ROTATION_PATH } from "../words/paths.js";

/** Those who can be chosen as senders. */
export function activePeople({ people }: Pick<Nameable, "people">): Choice[] {
  return people
    .filter(({ isActive }) => isActive)
    .map((person) => ({ value: person.userId.toString(), label: shortLabel(person) }));
}

export function rotationChoices({ rotations }: Nameable): Choice[] {
  return rotations.map(({ rotationId, name }) => ({ value: rotationId.toString(), label: name }));
}

/** The note of a field where a person is chosen: `note`, also if not all are listed; or why there is nobody and what to do. */
export function peopleNote(
  people: readonly Choice[],
  { page, note }: { page: string; note?: string },
): ComponentChildren {
  if (people.length >= MOST_PEOPLE_LISTED) return [note, MOST_PEOPLE_NOTE].filter(Boolean).join(" ");
  if (people.length > 0) return note;
  return (
    <>
      We're still loading your users from HubSpot. <a href={page}>Reload</a> in a minute.
    </>
  );
}

/** Why somebody who is looked for may not be in a list of people. */
const MOST_PEOPLE_NOTE = `Only the first ${MOST_PEOPLE_LISTED.toLocaleString("en-US")} users by name are listed here. Workflow actions can use all of them.`;

/** The note of a field where a rotation is chosen: `note`, or where to make the first one. */
export function rotationNote(rotations: readonly Choice[], note?: string): ComponentChildren {
  if (rotations.length > 0) return note;
  return (
    <>
      No rotations yet.
      <ForAdmins>
        {" "}
        <a href={NEW_ROTATION_PATH}>Create one</a> first.
      </ForAdmins>
    </>
  );
}
