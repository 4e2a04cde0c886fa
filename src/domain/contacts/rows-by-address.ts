import { undecidedRows } from "#domain/contract/undecided.js";

/** Open executions to search for a contact: no index has their addresses and names, so that accepting costs nothing. */
const OPEN_LOOKED_AT = 100_000;

interface ContactSearch {
  /** SQL of the portal's id. */
  readonly portalId: string;
  /** SQL that an index of ended executions finds. */
  readonly ended: string;
  /** The same for open ones, which are read one by one: of `contact_email` and `request`. */
  readonly open: string;
  /** SQL of the limit. */
  readonly limit: string;
}

const openRows = (state: "WATCHING" | "DECIDED", { portalId, open, limit }: ContactSearch): string => `
  SELECT id FROM (
    SELECT id, contact_email, request FROM executions
     WHERE portal_id = ${portalId} AND state = '${state}' ORDER BY due_at, id LIMIT ${OPEN_LOOKED_AT}
  ) AS open WHERE ${open} LIMIT ${limit}`;

/**
 * SQL of the ids of executions by what is known of their contact, in bounded time: ended ones by their own index, the others
 * from the indexes of open work. Part of a UNION.
 */
export const rowsByContact = (search: ContactSearch): string => {
  const { portalId, ended, open, limit } = search;
  const columns = "e.id, e.contact_email, e.request";
  return `
    (SELECT id FROM executions WHERE portal_id = ${portalId} AND ${ended}
        AND state IN ('COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED') LIMIT ${limit})
    UNION (SELECT id FROM (
      ${undecidedRows({ columns, portalId, limit: String(OPEN_LOOKED_AT) })}
    ) AS open WHERE ${open} LIMIT ${limit})
    UNION (${openRows("WATCHING", search)})
    UNION (${openRows("DECIDED", search)})`;
};

interface AddressSearch {
  /** SQL of the portal's id. */
  readonly portalId: string;
  /** SQL that holds for `contact_email`: an equality or a prefix of `lower(contact_email)`. */
  readonly condition: string;
  /** SQL of the limit. */
  readonly limit: string;
}

/** SQL of the ids of executions by their contact's address, in bounded time. Part of a UNION. */
export const rowsByAddress = ({ portalId, condition, limit }: AddressSearch): string =>
  rowsByContact({ portalId, ended: condition, open: condition, limit });
