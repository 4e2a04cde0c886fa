import { contactName } from "#domain/contract/actions/contact-name.js";
import { rowsByContact } from "./rows-by-address.js";

/** This many characters make the shortest part that the index finds. */
export const SHORTEST_PART = 3;

/** As the index `executions_by_part` has it, word for word. */
const KEYS = `part_keys(portal_id, lower(coalesce(contact_email, '') || ' ' || coalesce(request #>> '{properties,firstname}', '') || ' ' || coalesce(request #>> '{properties,lastname}', '')))`;

interface PartSearch {
  /** SQL of the portal's id. */
  readonly portalId: string;
  /** SQL of the part, in lower case, and of the `LIKE` pattern of what contains it. */
  readonly part: string;
  readonly pattern: string;
  /** SQL of the limit. */
  readonly limit: string;
}

/**
 * SQL of the ids of executions whose contact's name or address contains a part of {@link SHORTEST_PART} characters or more,
 * however long the history. Part of a UNION.
 */
export function rowsByPart({ portalId, part, pattern, limit }: PartSearch): string {
  const open = `(lower(contact_email) LIKE ${pattern} OR lower(${contactName()}) LIKE ${pattern})`;
  const ended = `${KEYS} @> part_keys(${portalId}::bigint, ${part}::text) AND ${open}`;
  return rowsByContact({ portalId, ended, open, limit });
}
