import type { Database } from "#platform/db/client.js";
import {
  fullLabel,
  listPeople,
  LONGEST_LABEL,
  MOST_PEOPLE_LISTED,
  type Person,
} from "#domain/directory/people.js";
import { listRotationNames } from "#domain/policy/list-rotations.js";
import type { StoredRotation } from "#domain/policy/rotation-store.js";
import type { Names } from "./changes.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { shorten } from "#platform/text/shorten.js";

export { LONGEST_LABEL };

/** Whom and what a policy can name, and what they are called. */
export interface Nameable {
  people: readonly Person[];
  /** There are more people than are listed. */
  isCut: boolean;
  rotations: readonly Pick<StoredRotation, "rotationId" | "name">[];
  names: Names;
}

/** @param named people who are listed in any case, however many there are. */
export async function readNameable(
  database: Database,
  portalId: PortalId,
  named: readonly UserId[] = [],
): Promise<Nameable> {
  const [{ people, isCut }, rotations] = await Promise.all([
    listPeople(database.pool, portalId, { most: MOST_PEOPLE_LISTED, isActiveOnly: false, named }),
    listRotationNames(database, portalId),
  ]);
  return {
    people,
    isCut,
    rotations,
    names: {
      people: new Map(people.map((person) => [person.userId.toString(), shortLabel(person)])),
      rotations: new Map(rotations.map(({ rotationId, name }) => [rotationId.toString(), name])),
    },
  };
}

/** "Ann Lee · ann@acme.example", each part no longer than a list can show. */
export function shortLabel({ label, email }: Pick<Person, "label" | "email">): string {
  const isAddress = email === label;
  const name = shorten(label, LONGEST_LABEL);
  return fullLabel({
    label: name,
    email: email === null || isAddress ? null : shorten(email, LONGEST_LABEL),
  });
}
