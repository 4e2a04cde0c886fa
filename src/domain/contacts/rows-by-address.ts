import { undecidedRows } from "#domain/contract/undecided.js";

/** Open executions to search for an address: no index has their addresses, so that accepting costs nothing. */
const OPEN_LOOKED_AT = 100_000;

interface AddressSearch {
  /** SQL of the portal's id. */
  readonly portalId: string;
  /** SQL that holds for `contact_email`: an equality or a prefix of `lower(contact_email)`. */
  readonly condition: string;
  /** SQL of the limit. */
  readonly limit: string;
}

const openRows = (state: "WATCHING" | "DECIDED", { portalId, condition, limit }: AddressSearch): string => `
  SELECT id FROM (
    SELECT id, contact_email FROM executions
     WHERE portal_id = ${portalId} AND state = '${state}' ORDER BY due_at, id LIMIT ${OPEN_LOOKED_AT}
  ) AS open WHERE ${condition} LIMIT ${limit}`;

/**
 * SQL of the ids of executions by their contact's address, in bounded time: ended ones by their own index, the others
 * from the indexes of open work. Part of a UNION.
 */
export const rowsByAddress = (search: AddressSearch): string => {
  const { portalId, condition, limit } = search;
  const columns = "e.id, e.contact_email";
  return `
    (SELECT id FROM executions WHERE portal_id = ${portalId} AND ${condition}
        AND state IN ('COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED') LIMIT ${limit})
    UNION (SELECT id FROM (
      ${undecidedRows({ columns, portalId, limit: String(OPEN_LOOKED_AT) })}
    ) AS open WHERE ${condition} LIMIT ${limit})
    UNION (${openRows("WATCHING", search)})
    UNION (${openRows("DECIDED", search)})`;
};
