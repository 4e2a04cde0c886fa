import type { Pool } from "pg";
import { fullLabel, listActivePeople } from "#domain/directory/people.js";
import type { Choice } from "../frame/fields.js";
import { shorten } from "#platform/text/shorten.js";

/** What the filter's lists offer. */
export interface FilterChoices {
  readonly sequences: readonly Choice[];
  readonly senders: readonly Choice[];
}

const MOST_SEQUENCES = 500;
const LONGEST_LABEL = 80;

export async function readFilterChoices(pool: Pool, portalId: bigint): Promise<FilterChoices> {
  const [sequences, senders] = await Promise.all([
    pool.query<{ value: string; label: string }>(
      `SELECT sequence_id AS value, name AS label FROM sequences WHERE portal_id = $1 ORDER BY lower(name) LIMIT $2`,
      [portalId, MOST_SEQUENCES],
    ),
    listActivePeople(pool, portalId),
  ]);
  const short = ({ value, label }: Choice): Choice => ({ value, label: shorten(label, LONGEST_LABEL) });
  return {
    sequences: sequences.rows.map(short),
    senders: senders.people.map((person) =>
      short({ value: String(person.userId), label: fullLabel(person) }),
    ),
  };
}
