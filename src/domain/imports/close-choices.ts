import { z } from "zod";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";

/** The columns of an import from Close, in order. */
export const CLOSE_COLUMNS = [
  "Email",
  "Close sequence",
  "Close sequence id",
  "Close status",
  "Close sender",
  "Started",
] as const;

/** Their places. */
export const CLOSE_PLACE = { email: 0, sequenceName: 1, sequenceId: 2, status: 3, sender: 4 } as const;

/** What Close's subscriptions are counted by while they are read. */
export interface CloseFacts {
  readonly sequences: readonly { readonly id: string; readonly name: string; readonly count: number }[];
  /** Addresses in lower case. */
  readonly senders: readonly { readonly email: string; readonly count: number }[];
  readonly statuses: readonly { readonly status: string; readonly count: number }[];
}

export const NO_FACTS: CloseFacts = { sequences: [], senders: [], statuses: [] };

const hubspotId = z.string().regex(/^\d{1,20}$/, "This is no id.");

/**
 * Which subscriptions are enrolled, and what Close's names stand for here. A name that is left out stands for nothing.
 */
export const closeChoicesSchema = z.strictObject({
  statuses: z
    .array(z.string().max(100))
    .max(50)
    .optional()
    .describe("Statuses in Close whose contacts are enrolled: active, paused, finished, error, goal."),
  sequences: z
    .record(z.string().max(200), hubspotId)
    .optional()
    .describe("Close's id of a sequence to HubSpot's. Contacts of other sequences are skipped."),
  senders: z
    .record(z.string().max(LONGEST_ADDRESS), hubspotId)
    .optional()
    .describe(
      "A sender's address in Close, in lower case, to a HubSpot user's id. Others: as the defaults say.",
    ),
});

export type CloseChoices = z.output<typeof closeChoicesSchema>;

/** Adds a page of subscriptions to what was counted before. */
export function countSubscriptions(facts: CloseFacts, rows: readonly (readonly string[])[]): CloseFacts {
  const of = (place: number) => rows.map((cells) => cells[place] ?? "");
  const ids = tally(of(CLOSE_PLACE.sequenceId));
  return {
    sequences: facts.sequences.map((one) => ({ ...one, count: one.count + (ids.get(one.id) ?? 0) })),
    senders: [
      ...add(
        facts.senders.map(({ email, count }) => [email, count]),
        of(CLOSE_PLACE.sender),
      ),
    ].map(([email, count]) => ({ email, count })),
    statuses: [
      ...add(
        facts.statuses.map(({ status, count }) => [status, count]),
        of(CLOSE_PLACE.status),
      ),
    ].map(([status, count]) => ({ status, count })),
  };
}

function tally(words: readonly string[]): Map<string, number> {
  return add([], words);
}

/** More different senders or statuses than these are not listed; their contacts are read anyway. */
const MOST_LISTED = 500;

function add(before: readonly (readonly [string, number])[], words: readonly string[]): Map<string, number> {
  const counts = new Map(before);
  for (const word of words)
    if (word !== "" && (counts.has(word) || counts.size < MOST_LISTED))
      counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Why a subscription is not among those that were chosen, in a sentence; undefined: it is. */
export function whyNotChosen(
  cells: readonly string[],
  { statuses = [], sequences = {} }: CloseChoices,
): string | undefined {
  const status = cells[CLOSE_PLACE.status] ?? "";
  if (!statuses.includes(status))
    return `Its status in Close, “${status}”, is not among those that were chosen.`;
  if (sequences[cells[CLOSE_PLACE.sequenceId] ?? ""] === undefined)
    return `No sequence was chosen for “${cells[CLOSE_PLACE.sequenceName] ?? ""}” of Close.`;
  return undefined;
}
