import type { Pool } from "pg";
import { listCallingFlows } from "#domain/flows/calling-flows.js";
import {
  fullLabel,
  listActivePeople,
  listEverListedSequences,
  MOST_PEOPLE_OFFERED,
} from "#domain/directory/people.js";
import { NO_SENDER } from "#domain/contract/execution-filter.js";
import type { ActivityQuery } from "#domain/history/activity-query.js";
import { readId } from "#web/kit/form-fields.js";
import type { Choice } from "../frame/fields.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { shorten } from "#platform/text/shorten.js";
import { NO_SENDER_WORDS, type FilterNames } from "../words/activity-words.js";

/** What the filter's lists offer. */
export interface FilterChoices {
  readonly sequences: readonly Choice[];
  readonly senders: readonly Choice[];
  /** Workflows with a name, by the id under which they called lately. Empty: none is known by name. */
  readonly workflows: readonly Choice[];
  /** What a list does not hold all of: said at its end. */
  readonly cut: { readonly sequence?: string; readonly sender?: string };
}

/** The names of what a filter can choose. */
export function namesOf({ sequences, senders, workflows }: FilterChoices): FilterNames {
  const byValue = (choices: readonly Choice[]) => new Map(choices.map(({ value, label }) => [value, label]));
  const people = byValue(senders);
  return { sequence: byValue(sequences), sender: people, skipped: people, workflow: byValue(workflows) };
}

const MOST_SEQUENCES = 500;
const LONGEST_LABEL = 80;

/** @param given the filter in use: whom and what it names is in the lists in any case. */
export async function readFilterChoices(
  pool: Pool,
  portalId: PortalId,
  { sequence, sender, skipped }: ActivityQuery["given"],
): Promise<FilterChoices> {
  const named = [sender, skipped].map(readId).filter((id) => id !== undefined);
  const [sequences, senders, workflows] = await Promise.all([
    listEverListedSequences(pool, portalId, { most: MOST_SEQUENCES, named: sequence }),
    listActivePeople(pool, portalId, named),
    listCallingFlows(pool, portalId),
  ]);
  const short = ({ value, label }: Choice): Choice => ({ value, label: shorten(label, LONGEST_LABEL) });
  return {
    sequences: sequences.sequences.map(({ sequenceId, name }) => short({ value: sequenceId, label: name })),
    senders: [
      { value: NO_SENDER, label: NO_SENDER_WORDS },
      ...senders.people.map((person) => short({ value: String(person.userId), label: fullLabel(person) })),
    ],
    workflows: workflows.map(({ workflowId, name }) => short({ value: workflowId, label: name })),
    cut: {
      ...(sequences.isCut ? { sequence: cutNote(MOST_SEQUENCES) } : {}),
      ...(senders.isCut ? { sender: cutNote(MOST_PEOPLE_OFFERED) } : {}),
    },
  };
}

const cutNote = (most: number): string => `Only the first ${most.toLocaleString("en-US")} by name`;
