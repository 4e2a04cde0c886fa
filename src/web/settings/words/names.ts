import type { Database } from "#platform/db/client.js";
import { listPeople, type Person } from "#domain/directory/people.js";
import { listRotationNames, type StoredRotation } from "#domain/policy/rotation-store.js";
import type { Names } from "./changes.js";
import { shorten } from "#platform/text/shorten.js";

/** Whom and what a policy can name, and what they are called. */
export interface Nameable {
  people: readonly Person[];
  rotations: readonly Pick<StoredRotation, "rotationId" | "name">[];
  names: Names;
}

export async function readNameable(database: Database, portalId: bigint): Promise<Nameable> {
  const [people, rotations] = await Promise.all([
    listPeople(database.pool, portalId),
    listRotationNames(database, portalId),
  ]);
  return {
    people,
    rotations,
    names: {
      people: new Map(people.map((person) => [person.userId.toString(), fullLabel(person)])),
      rotations: new Map(rotations.map(({ rotationId, name }) => [rotationId.toString(), name])),
    },
  };
}

/** Longer names say nothing more in a list, and fill it. */
export const LONGEST_LABEL = 100;

/** "Ann Lee · ann@acme.example". */
export function fullLabel({ label, email }: Pick<Person, "label" | "email">): string {
  const name = shorten(label, LONGEST_LABEL);
  return email === null || email === label ? name : `${name} · ${shorten(email, LONGEST_LABEL)}`;
}
