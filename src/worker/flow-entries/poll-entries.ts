import type { Ownership } from "#domain/executions/claim.js";
import { readDueEntries, writeEntries, type EntryMove } from "#domain/flow-entries/entry-store.js";
import type { DueEntry } from "#domain/flow-entries/flow-entry.js";
import { HubSpotError, PortalSpared } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { Polled } from "#worker/watch/watch-poll.js";
import { afterFault, ended, putOff, stillInDoubt } from "./entry-moves.js";
import { findContacts, type FoundEntry } from "./find-contacts.js";
import { readEntryFlow, type EntryFlow } from "./read-entry-flow.js";
import { sendEntry, settleEntry } from "./send-entries.js";
import { writeEntryStamps, type EntryStamp, type EntryTimes } from "./stamp-entries.js";

export interface EntryTools {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
  readonly times: EntryTimes;
  /** False while an admin has paused the account: nobody is put in anything. */
  readonly mayBegin: () => Promise<boolean>;
}

/** Contacts that HubSpot reads or writes in one request (docs/hubspot.md §6). */
const BATCH = 100;
/** The legacy route takes a request for each contact: up to this many per step, before other work has its turn. */
const SENT_AT_ONCE = 10;
const PAUSED_MS = 30_000;
const ANOTHER_STAMP_MS = 15_000;

/**
 * One step for up to 100 contacts that are to be put in a workflow: empties and sets the property that starts it, or sends
 * the legacy request for each. Each step is stored before its request.
 *
 * @throws LeaseLost, and what is not HubSpot's fault.
 */
export async function pollEntries(tools: EntryTools): Promise<Polled> {
  const due = await readDueEntries(tools.owner, BATCH);
  if (due.length === 0) return { isMoreLeft: false, decided: 0, requests: 0 };
  const stamped = await moveStamps(tools, due);
  const begun = due.filter(({ state }) => state === "QUEUED" || state === "SENDING");
  const requests = stamped + (await begin(tools, begun));
  return { isMoreLeft: true, decided: 0, requests };
}

/** Those whose time is over are cleared; what a crash left is written again. */
async function moveStamps(tools: EntryTools, due: readonly DueEntry[]): Promise<number> {
  const over = due.filter(({ state }) => state === "STAMPED");
  await writeEntries(
    tools.owner,
    over.map((of): EntryMove => ({ of, to: "CLEARING" })),
  );
  const stamps = due.flatMap((entry): EntryStamp[] => {
    const { contactId, stamp = "" } = entry;
    if (contactId === undefined) return [];
    switch (entry.state) {
      case "STAMPED":
      case "CLEARING":
        return [{ entry: { ...entry, state: "CLEARING" }, contactId, value: "" }];
      case "STAMPING":
        return [{ entry: { ...entry, state: "STAMPING" }, contactId, value: stamp }];
      default:
        return [];
    }
  });
  return write(tools, stamps);
}

async function write(tools: EntryTools, stamps: readonly EntryStamp[]): Promise<number> {
  const { moves, requests } = await writeEntryStamps(stamps, tools);
  await writeEntries(tools.owner, moves);
  return requests;
}

/** Those of one workflow, which is read first: it says how contacts get in. */
async function begin(tools: EntryTools, begun: readonly DueEntry[]): Promise<number> {
  const flowId = begun[0]?.flowId;
  if (flowId === undefined) return 0;
  const { owner, gateway, mayBegin } = tools;
  const late = begun.filter(({ isTooLate, state }) => isTooLate && state === "QUEUED");
  await writeEntries(
    owner,
    late.map((of) => ended(of, "TOO_LATE")),
  );
  const ofFlow = begun.filter((entry) => entry.flowId === flowId && !late.includes(entry));
  if (!(await mayBegin())) {
    await writeEntries(
      owner,
      ofFlow.map((of) => putOff(of, PAUSED_MS)),
    );
    return 0;
  }
  try {
    const flow = await readEntryFlow(gateway, flowId);
    return 2 + (await byRoute(tools, ofFlow, flow));
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    if (error instanceof PortalSpared) return 1;
    await writeEntries(
      owner,
      ofFlow.map((of) =>
        of.state === "SENDING" ? stillInDoubt(of, error, tools.times.doubtMs) : afterFault(of, error),
      ),
    );
    return 1;
  }
}

async function byRoute(tools: EntryTools, entries: readonly DueEntry[], flow: EntryFlow): Promise<number> {
  const { owner, gateway } = tools;
  const doubted = entries.filter(({ state }) => state === "SENDING");
  const queued = entries.filter(({ state }) => state === "QUEUED");
  if (flow.route === "none") {
    await writeEntries(owner, [
      ...doubted.map((of) => ended(of, "ANSWER_LOST")),
      ...queued.map((of) => ended(of, flow.outcome)),
    ]);
    return 0;
  }
  if (flow.route === "legacy") {
    for (const entry of doubted.slice(0, SENT_AT_ONCE))
      await writeEntries(owner, [await settleEntry(entry, flow, tools)]);
    const { found, moves, requests } = await findContacts(gateway, queued.slice(0, SENT_AT_ONCE));
    await writeEntries(owner, moves);
    for (const entry of found) await sendEntry(entry, flow, tools);
    return requests + found.length + Math.min(doubted.length, SENT_AT_ONCE);
  }
  await writeEntries(
    owner,
    doubted.map((of) => ended(of, "ANSWER_LOST")),
  );
  const { found, moves, requests } = await findContacts(gateway, queued);
  await writeEntries(owner, moves);
  return requests + (await stampFound(tools, found, flow.stamp));
}

/** Stores the stamps, then writes them to the contacts that no other entry is stamping. */
async function stampFound(tools: EntryTools, found: readonly FoundEntry[], stamp: string): Promise<number> {
  const contacts = new Set<string>();
  const first = found.filter(({ contactId }) => !contacts.has(contactId) && contacts.add(contactId));
  const moves = first.map(
    ({ entry, contactId }) => ({ of: entry, to: "STAMPING", contactId, stamp }) as const,
  );
  const stored = await writeEntries(tools.owner, moves);
  const others = found.filter(({ entry }) => !stored.has(entry.id));
  await writeEntries(
    tools.owner,
    others.map(({ entry }) => putOff(entry, ANOTHER_STAMP_MS)),
  );
  return write(
    tools,
    first
      .filter(({ entry }) => stored.has(entry.id))
      .map(({ entry, contactId }) => ({ entry: { ...entry, state: "STAMPING" }, contactId, value: stamp })),
  );
}
