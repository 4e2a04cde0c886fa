import type { Database } from "../db/client.js";
import { listPeople, type Person } from "../directory/people.js";
import { listRotations, type StoredRotation } from "../policy/rotation-store.js";
import type { Names } from "./changes.js";

/** Whom and what a policy can name, and what they are called. */
export interface Nameable {
  people: readonly Person[];
  rotations: readonly StoredRotation[];
  names: Names;
}

export async function readNameable(database: Database, portalId: bigint): Promise<Nameable> {
  const [people, rotations] = await Promise.all([
    listPeople(database.pool, portalId),
    listRotations(database, portalId),
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

/** "Ann Lee · ann@acme.example". */
export function fullLabel({ label, email }: Pick<Person, "label" | "email">): string {
  return email === null || email === label ? label : `${label} · ${email}`;
}
