import type { Polled } from "#worker/watch/watch-poll.js";
import { keepMadeFlow, type OwnFlowTools } from "./keep-made-flow.js";
import { pollEntries, type EntryTools } from "#worker/flow-entries/poll-entries.js";

/** One step for the portal's workflows: one that is made or deleted, or otherwise contacts that are put in one. */
export async function pollFlowWork(tools: OwnFlowTools & EntryTools): Promise<Polled> {
  const kept = await keepMadeFlow(tools);
  if (kept !== undefined) return { isMoreLeft: true, decided: 0, requests: kept.requests };
  return pollEntries(tools);
}
