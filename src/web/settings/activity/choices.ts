import type { Pool } from "pg";
import { listCallingFlows } from "#domain/flows/calling-flows.js";
import { fullLabel, listActivePeople, listEverListedSequences } from "#domain/directory/people.js";
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
    listEverListedSequences(pool, portalId, MOST_SEQUENCES),
    listActivePeople(pool, portalId),
    listCallingFlows(pool, portalId),
  ]);
  const short = ({ value, label }: Choice): Choice => ({ value, label: shorten(label, LONGEST_LABEL) });
  return {
    sequences: sequences.map(({ sequenceId, name }) => short({ value: sequenceId, label: name })),
    senders: senders.people.map((person) =>
      short({ value: String(person.userId), label: fullLabel(person) }),
    ),
    workflows: workflows.map(({ workflowId, name }) => short({ value: workflowId, label: name })),
  };
}
