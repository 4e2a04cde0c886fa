import type { Pool } from "pg";
import { findFlows } from "#domain/flows/flow-names.js";
import { fullLabel, listActivePeople } from "#domain/directory/people.js";
import type { Choice } from "../frame/fields.js";
import { shorten } from "#platform/text/shorten.js";
import type { FilterNames } from "../words/activity-words.js";

/** What the filter's lists offer. */
export interface FilterChoices {
  readonly sequences: readonly Choice[];
  readonly senders: readonly Choice[];
  /** Workflows with a name, by the id under which they called lately. Empty: none is known by name. */
  readonly workflows: readonly Choice[];
}

/** The names of what a filter can choose. */
export function namesOf({ sequences, senders, workflows }: FilterChoices): FilterNames {
  const byValue = (choices: readonly Choice[]) => new Map(choices.map(({ value, label }) => [value, label]));
  const people = byValue(senders);
  return { sequence: byValue(sequences), sender: people, skipped: people, workflow: byValue(workflows) };
}

const MOST_SEQUENCES = 500;
const LONGEST_LABEL = 80;

export async function readFilterChoices(pool: Pool, portalId: bigint): Promise<FilterChoices> {
  const [sequences, senders, workflows] = await Promise.all([
    pool.query<{ value: string; label: string }>(
      `SELECT sequence_id AS value, name AS label FROM sequences WHERE portal_id = $1 ORDER BY lower(name) LIMIT $2`,
      [portalId, MOST_SEQUENCES],
    ),
    listActivePeople(pool, portalId),
    readCallingWorkflows(pool, portalId),
  ]);
  const short = ({ value, label }: Choice): Choice => ({ value, label: shorten(label, LONGEST_LABEL) });
  return {
    sequences: sequences.rows.map(short),
    senders: senders.people.map((person) =>
      short({ value: String(person.userId), label: fullLabel(person) }),
    ),
    workflows: workflows.map(short),
  };
}

/** The latest calls, in which the workflows are found that call: reading them takes some milliseconds. */
const CALLS_LOOKED_AT = 2_000;

/** By name. Calls name a workflow by one of its two ids, and executions are found by the one that came. */
async function readCallingWorkflows(pool: Pool, portalId: bigint): Promise<Choice[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: "calling-workflows",
    text: `SELECT DISTINCT workflow_id AS id FROM (
             SELECT workflow_id FROM executions WHERE portal_id = $1 ORDER BY id DESC LIMIT $2
           ) AS latest WHERE workflow_id IS NOT NULL`,
    values: [portalId, CALLS_LOOKED_AT],
  });
  const flows = await findFlows(
    pool,
    portalId,
    rows.map(({ id }) => id),
  );
  return [...flows]
    .flatMap(([value, { name }]) => (name === null ? [] : [{ value, label: name }]))
    .sort((left, right) => left.label.localeCompare(right.label));
}
