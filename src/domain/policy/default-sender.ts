import type { Database } from "#platform/db/client.js";
import { deactivatedUsers } from "#domain/directory/user-list.js";
import type { Actor } from "#domain/audit/audit.js";
import { savePortalPolicy } from "./portal-policy-store.js";

export interface SenderOption {
  userId: bigint;
  /** "Name · e-mail", or what of it is known. */
  label: string;
}

export interface DefaultSender {
  userId: bigint | null;
  version: number;
}

interface PersonRow {
  user_id: string;
  email: string | null;
  first_name: string | null;
  last_name: string | null;
}

/** A list to choose from holds no more, and a page is no larger: those after them in the alphabet are left out. */
const MOST_OFFERED = 2_000;

/** Active people of the portal who can be a sender: its users and its owners, each once. `$2`: that one alone. */
const PEOPLE = `SELECT * FROM (
    SELECT DISTINCT ON (user_id) user_id, email, first_name, last_name FROM (
      SELECT user_id, email, first_name, last_name, 1 AS rank FROM owners
       WHERE portal_id = $1 AND user_id IS NOT NULL AND type = 'PERSON' AND NOT is_archived
         AND user_id = coalesce($2::bigint, user_id)
      UNION ALL
      SELECT user_id, email, first_name, last_name, 2 FROM users
       WHERE portal_id = $1 AND user_id = coalesce($2::bigint, user_id)
    ) AS known WHERE user_id NOT IN (${deactivatedUsers()}) ORDER BY user_id, rank
  ) AS people ORDER BY lower(concat_ws(' ', first_name, last_name, email)), user_id LIMIT ${MOST_OFFERED}`;

/** Who can be chosen as a sender, by name. */
export async function listSenderOptions(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
): Promise<SenderOption[]> {
  const { rows } = await pool.query<PersonRow>(PEOPLE, [portalId, null]);
  return rows.map(toOption).sort((left, right) => left.label.localeCompare(right.label, "en"));
}

/** Undefined where there is nobody active with this id. */
export async function findSenderOption(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
  userId: bigint,
): Promise<SenderOption | undefined> {
  const { rows } = await pool.query<PersonRow>(PEOPLE, [portalId, userId]);
  return rows[0] && toOption(rows[0]);
}

function toOption({ user_id, email, first_name, last_name }: PersonRow): SenderOption {
  const name = [first_name, last_name].filter(Boolean).join(" ");
  const label = [name, email].filter(Boolean).join(" · ");
  return { userId: BigInt(user_id), label: label === "" ? `User ${user_id}` : label };
}

export type SaveOutcome =
  | "saved"
  | "unknown-sender" // nobody of this portal, or no longer active
  | "changed-meanwhile"; // another admin saved since the form was shown

/** @param change.version the version the form was filled in from. */
export async function saveDefaultSender(
  database: Pick<Database, "pool" | "prisma">,
  portalId: bigint,
  { userId, version, by }: DefaultSender & { by: Actor },
): Promise<SaveOutcome> {
  if (userId !== null && (await findSenderOption(database, portalId, userId)) === undefined)
    return "unknown-sender";
  const change = { policy: { defaultSenderUserId: userId }, version, by };
  return (await savePortalPolicy(database, portalId, change)) ? "saved" : "changed-meanwhile";
}
