import type { Pool } from "pg";
import { deactivatedUsers } from "./user-list.js";

/** What a person is called where only one line is to be had. */
const LABEL = `coalesce(nullif(trim(concat_ws(' ', first_name, last_name)), ''), email, 'User ' || user_id)`;

/**
 * Who could be a sender in portal $1, each once: users of the user list, and owners that are people where that list is
 * not granted or lacks them. Columns: `user_id`, `label`, `email`, `seat_names`, `is_active`.
 */
export const KNOWN_PEOPLE = `
  SELECT DISTINCT ON (user_id) user_id, ${LABEL} AS label, email, seat_names,
         user_id NOT IN (${deactivatedUsers()}) AS is_active
    FROM (
      SELECT user_id, first_name, last_name, email, seat_names, 1 AS preference FROM users WHERE portal_id = $1
      UNION ALL
      SELECT user_id, first_name, last_name, email, '{}', 2 FROM owners
       WHERE portal_id = $1 AND user_id IS NOT NULL AND type = 'PERSON'
    ) AS known
   ORDER BY user_id, preference`;

/** A user of the portal as our copy of its directory knows them. */
export interface Person {
  readonly userId: bigint;
  /** Name, else e-mail, else "User 7". */
  readonly label: string;
  readonly email: string | null;
  readonly isActive: boolean;
}

/** As many as a page can show; of more, those who are active come first. Whoever shows the list says so. */
export const MOST_PEOPLE_LISTED = 5_000;

/** The people of the portal, deactivated ones too, by name. */
export async function listPeople(pool: Pool, portalId: bigint): Promise<Person[]> {
  const { rows } = await pool.query<{
    user_id: string;
    label: string;
    email: string | null;
    is_active: boolean;
  }>({
    name: "directory-people",
    text: `SELECT * FROM (
              SELECT user_id, label, email, is_active FROM (${KNOWN_PEOPLE}) AS person
               ORDER BY is_active DESC, lower(label) COLLATE "C", user_id LIMIT $2
            ) AS person ORDER BY lower(label) COLLATE "C", user_id`,
    values: [portalId, MOST_PEOPLE_LISTED],
  });
  return rows.map((row) => ({
    userId: BigInt(row.user_id),
    label: row.label,
    email: row.email,
    isActive: row.is_active,
  }));
}

/** What some people of the portal are called, by user id, however many it has. */
export async function labelsOf(
  pool: Pool,
  portalId: bigint,
  userIds: readonly bigint[],
): Promise<Map<bigint, string>> {
  const { rows } = await pool.query<{ user_id: string; label: string }>({
    name: "directory-labels",
    text: `SELECT user_id, label FROM (${KNOWN_PEOPLE}) AS person WHERE user_id = ANY ($2::bigint[])`,
    values: [portalId, userIds],
  });
  return new Map(rows.map(({ user_id, label }) => [BigInt(user_id), label]));
}

/** A sequence to choose. */
export interface NamedSequence {
  readonly sequenceId: string;
  readonly name: string;
}

/** A page with more choices than this would take the browser seconds. */
export const MOST_SEQUENCES_LISTED = 5_000;

/** Sequences HubSpot lists, by name: the first MOST_SEQUENCES_LISTED. */
export async function listSequences(pool: Pool, portalId: bigint): Promise<NamedSequence[]> {
  const { rows } = await pool.query<{ sequence_id: string; name: string }>({
    name: "directory-listed-sequences",
    text: `SELECT sequence_id, name FROM sequences WHERE portal_id = $1 AND is_listed
            ORDER BY lower(name) COLLATE "C", sequence_id LIMIT $2`,
    values: [portalId, MOST_SEQUENCES_LISTED],
  });
  return rows.map((row) => ({ sequenceId: row.sequence_id, name: row.name }));
}
