import type { ClientBase, Pool } from "pg";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

const NAME = "nullif(trim(concat_ws(' ', first_name, last_name)), '')";

/**
 * SQL: the people of a portal, each once: users of its user list, and owners that are people. The one place that says
 * who could send, and what someone is called. Columns: `user_id`, `name` (null: none is known), `email`, `label` (name,
 * else email, else "User 7"), `seat_names`, `is_active`.
 *
 * Of names and addresses the user's counts, and the owner's if the user has none. Someone is active who is an active
 * owner and was not taken off the user list since, and whoever is listed as a user and is no owner. Someone whose every
 * owner is archived is not, though HubSpot may continue listing the user; an archived owner without the user's id is
 * known by the address.
 *
 * @param which condition on `user_id`, for a part of them.
 * @param portalId SQL of the portal's id.
 */
export function peopleOf(which = "true", portalId = "$1"): string {
  return `
    SELECT user_id, name, email, coalesce(name, email, 'User ' || user_id) AS label, seat_names, is_active FROM (
      SELECT coalesce(u.user_id, o.user_id) AS user_id, coalesce(u.name, o.name) AS name,
             coalesce(u.email, o.email) AS email, coalesce(u.seat_names, '{}') AS seat_names,
             CASE WHEN o.user_id IS NULL THEN u.is_listed AND NOT coalesce(lower(u.email) IN (
                    SELECT lower(email) FROM owners
                     WHERE portal_id = ${portalId} AND type = 'PERSON' AND is_archived AND user_id IS NULL), false)
                  WHEN o.is_archived THEN false
                  ELSE coalesce(u.is_listed OR u.saved_at < o.saved_at, true) END AS is_active
        FROM (SELECT user_id, ${NAME} AS name, nullif(email, '') AS email, seat_names, is_listed, saved_at
                FROM users WHERE portal_id = ${portalId} AND ${which}) AS u
        FULL JOIN (
              SELECT DISTINCT ON (user_id) user_id, ${NAME} AS name, nullif(email, '') AS email, is_archived, saved_at
                FROM owners WHERE portal_id = ${portalId} AND type = 'PERSON' AND user_id IS NOT NULL AND ${which}
               ORDER BY user_id, is_archived, saved_at DESC, owner_id) AS o ON o.user_id = u.user_id
    ) AS known`;
}

/** SQL: ids of the people of portal $1 who are not active, of those that `which` says. */
export function inactivePeople(which?: string): string {
  return `SELECT user_id FROM (${peopleOf(which)}) AS person WHERE NOT is_active`;
}

/** A user of the portal as our copy of its directory knows them. */
export interface Person {
  readonly userId: UserId;
  /** Name, else email, else "User 7". */
  readonly label: string;
  readonly email: string | null;
  readonly isActive: boolean;
}

/** Longer names say nothing more in a list, and fill it. */
export const LONGEST_LABEL = 100;

/** What someone is called of whom nothing but the id is known. */
export function unnamed(userId: UserId | string): string {
  return `User ${userId}`;
}

/** "Ann Lee · ann@acme.example". */
export function fullLabel({ label, email }: Pick<Person, "label" | "email">): string {
  return email === null || email === label ? label : `${label} · ${email}`;
}

/** People by name. */
export interface PeopleList {
  readonly people: readonly Person[];
  /** There are more. Whoever shows the list says so. */
  readonly isCut: boolean;
}

/** As many as a page can show; if there are more, active users come first. The page says so. */
export const MOST_PEOPLE_LISTED = 5_000;
/** As many as a single dropdown of people holds. */
export const MOST_PEOPLE_OFFERED = 2_000;

interface PersonRow {
  user_id: string;
  label: string;
  email: string | null;
  is_active: boolean;
}

const toPerson = (row: PersonRow): Person => ({
  userId: BigInt(row.user_id),
  label: row.label,
  email: row.email,
  isActive: row.is_active,
});

const BY_NAME = `lower(label) COLLATE "C", user_id`;

/** Who is to be listed. */
export interface PeopleQuestion {
  /** As many as these: of more the active ones that come first by name, and whoever is `named`. */
  readonly most: number;
  readonly isActiveOnly: boolean;
  readonly named?: readonly UserId[];
}

/** The people of a portal by name. */
export async function listPeople(
  pool: Pool,
  portalId: PortalId,
  { most, isActiveOnly, named = [] }: PeopleQuestion,
): Promise<PeopleList> {
  const { rows } = await pool.query<PersonRow & { place: number }>({
    name: "directory-people",
    text: `SELECT * FROM (
              SELECT user_id, label, email, is_active,
                     (row_number() OVER (ORDER BY is_active DESC, ${BY_NAME}))::int AS place
                FROM (${peopleOf()}) AS person
               WHERE is_active OR NOT $3::boolean
            ) AS person WHERE place <= $2::int + 1 OR user_id = ANY ($4::bigint[]) ORDER BY ${BY_NAME}`,
    values: [portalId, most, isActiveOnly, named],
  });
  const isNamed = new Set(named);
  const shown = rows.filter(({ place, user_id }) => place <= most || isNamed.has(BigInt(user_id)));
  return { people: shown.map(toPerson), isCut: rows.some(({ place }) => place > most) };
}

/** Who can be chosen as a sender from a dropdown, by name; whoever is `named` is not cut off. */
export function listActivePeople(
  pool: Pool,
  portalId: PortalId,
  named: readonly UserId[] = [],
): Promise<PeopleList> {
  return listPeople(pool, portalId, { most: MOST_PEOPLE_OFFERED, isActiveOnly: true, named });
}

/** Some people of the portal by their ids, however many it has. Ids that our copy does not know are left out. */
export async function findPeopleByIds(
  reader: Pick<ClientBase, "query">,
  portalId: PortalId,
  userIds: readonly UserId[],
): Promise<Map<UserId, Person>> {
  if (userIds.length === 0) return new Map();
  const { rows } = await reader.query<PersonRow>({
    name: "directory-some-people",
    text: `SELECT user_id, label, email, is_active FROM (${peopleOf("user_id = ANY ($2::bigint[])")}) AS person`,
    values: [portalId, userIds],
  });
  return new Map(rows.map((row) => [BigInt(row.user_id), toPerson(row)]));
}

/** The person with this id, if they can be chosen as a sender. */
export async function findActivePerson(
  pool: Pool,
  portalId: PortalId,
  userId: UserId,
): Promise<Person | undefined> {
  const person = (await findPeopleByIds(pool, portalId, [userId])).get(userId);
  return person?.isActive === true ? person : undefined;
}

/** A sequence to choose. */
export interface NamedSequence {
  readonly sequenceId: string;
  readonly name: string;
}

/** A page with more choices than this would take the browser seconds. */
export const MOST_SEQUENCES_LISTED = 5_000;

/** Sequences HubSpot lists, by name: the first MOST_SEQUENCES_LISTED. */
export async function listSequences(pool: Pool, portalId: PortalId): Promise<NamedSequence[]> {
  const { rows } = await pool.query<{ sequence_id: string; name: string }>({
    name: "directory-listed-sequences",
    text: `SELECT sequence_id, name FROM sequences WHERE portal_id = $1 AND is_listed
            ORDER BY lower(name) COLLATE "C", sequence_id LIMIT $2`,
    values: [portalId, MOST_SEQUENCES_LISTED],
  });
  return rows.map((row) => ({ sequenceId: row.sequence_id, name: row.name }));
}

/** Sequences by name. */
export interface SequenceList {
  readonly sequences: readonly NamedSequence[];
  /** There are more. Whoever shows the list says so. */
  readonly isCut: boolean;
}

/**
 * Sequences that HubSpot lists or once listed: the first `most` by name, and the one that is `named`. For the history,
 * which may name old ones.
 */
export async function listEverListedSequences(
  pool: Pool,
  portalId: PortalId,
  { most, named }: { readonly most: number; readonly named?: string | undefined },
): Promise<SequenceList> {
  const { rows } = await pool.query<{ sequence_id: string; name: string; place: number }>({
    name: "directory-known-sequences",
    text: `SELECT * FROM (
              SELECT sequence_id, name, (row_number() OVER (ORDER BY lower(name), sequence_id))::int AS place
                FROM sequences WHERE portal_id = $1
            ) AS sequence WHERE place <= $2::int + 1 OR sequence_id = $3 ORDER BY place`,
    values: [portalId, most, named ?? null],
  });
  const shown = rows.filter(({ place, sequence_id }) => place <= most || sequence_id === named);
  return {
    sequences: shown.map((row) => ({ sequenceId: row.sequence_id, name: row.name })),
    isCut: rows.some(({ place }) => place > most),
  };
}
