import { describe, expect, test } from "@jest/globals";
import type { FlowStore } from "#domain/flows/flow-store.js";
import { HubSpotRejected, HubSpotTimedOut, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { FlowRenewal, type FlowHands } from "#worker/renewal/flow-renewal.js";

const OUTAGE = new HubSpotUnavailable("HubSpot answered 503");
const TYPES = { kinds: new Map(), fingerprint: "" };

interface Stage {
  /** What each page of the list brings: the ids, or a fault. */
  readonly pages: readonly (readonly string[] | Error)[];
  readonly batches?: readonly Error[];
  readonly isLost?: boolean;
}

/** HubSpot and the storage, with a note of what was asked and stored. */
function stage({ pages, batches = [], isLost = false }: Stage): { hands: FlowHands; notes: string[] } {
  const notes: string[] = [];
  let [page, batch] = [0, 0];
  const written = (note: string) => {
    notes.push(note);
    return Promise.resolve(isLost ? ("lost" as const) : ("saved" as const));
  };
  const store: FlowStore = {
    saveListed: async (flows) => ((await written("listed")) === "lost" ? "lost" : flows.map(({ id }) => id)),
    saveSteps: () => written("steps"),
    withoutWorkflowId: () => Promise.resolve([]),
    saveWorkflowIds: () => written("numbers"),
    retireOthers: (ids) => written(`retire others than ${ids.join()}`),
    markRead: (_, { problem }) => written(`read: ${problem ?? "whole"}`),
    postpone: (delayMs) => written(`again in ${delayMs}`),
  };
  const gateway: FlowHands["gateway"] = {
    listFlows() {
      const ids = pages[page];
      page += 1;
      if (ids instanceof Error) return Promise.reject(ids);
      const isLast = !pages.slice(page).some((next) => !(next instanceof Error));
      const results = (ids ?? []).map((id) => ({
        id,
        name: null,
        isEnabled: true,
        revisionId: "1",
        updatedAt: undefined,
      }));
      return Promise.resolve({ results, leftOut: [], after: isLast ? undefined : `page-${page}` });
    },
    readFlows(flowIds) {
      const fault = batches[batch];
      batch += 1;
      if (fault !== undefined) return Promise.reject(fault);
      const results = flowIds.map((id) => ({ id, revisionId: "1", actions: [], oddActions: 0 }));
      return Promise.resolve({ results, leftOut: [] });
    },
    readWorkflowIds: () => Promise.resolve(new Map()),
  };
  return { hands: { gateway, store }, notes };
}

/** Goes on until it has ended. @returns what was asked and stored, in order. */
async function run(setting: Stage): Promise<string[]> {
  const { hands, notes } = stage(setting);
  const renewal = new FlowRenewal({ startedAt: new Date(), types: TYPES });
  for (let steps = 0; !renewal.isRead; steps += 1) {
    if (steps > 20) throw new Error("it does not end");
    await renewal.step(hands);
  }
  await renewal.finish(hands, () => 30_000);
  return notes;
}

describe("a renewal of the copy of workflows", () => {
  test("reads the list, marks what is gone, and reads the steps of what is new", async () => {
    expect(await run({ pages: [["1"], ["2"]] })).toEqual([
      "listed",
      "listed",
      "retire others than 1,2",
      "steps",
      "read: whole",
    ]);
  });

  test("is given up at once if the first request fails: failures in a row would stop the portal's contacts", async () => {
    expect(await run({ pages: [OUTAGE, ["1"]] })).toEqual(["again in 30000"]);
  });

  test("tries a later request again, but not one that had no answer in time", async () => {
    expect(await run({ pages: [["1"], OUTAGE, ["2"]] })).toContain("read: whole");
    expect(await run({ pages: [["1"], new HubSpotTimedOut(15_000), ["2"]] })).toEqual([
      "listed",
      "again in 30000",
    ]);
  });

  test("gives up after three failures in a row, and deletes nothing", async () => {
    expect(await run({ pages: [["1"], OUTAGE, OUTAGE, OUTAGE, ["2"]] })).toEqual([
      "listed",
      "again in 30000",
    ]);
  });

  test.each([
    [403, "read: SCOPE_MISSING"],
    [400, "read: REFUSED"],
  ])("ends with what it has at a refusal of %i", async (httpStatus, end) => {
    const refusal = new HubSpotRejected({ httpStatus, message: "no" });
    expect(await run({ pages: [refusal] })).toEqual([end]);
    expect(await run({ pages: [["1"]], batches: [refusal] })).toEqual([
      "listed",
      "retire others than 1",
      end,
    ]);
  });

  test("stops with the lease: it asks and writes nothing more", async () => {
    const { hands, notes } = stage({ pages: [["1"], ["2"]], isLost: true });
    const renewal = new FlowRenewal({ startedAt: new Date(), types: TYPES });
    await expect(renewal.step(hands)).rejects.toThrow(LeaseLost);
    expect(notes).toEqual(["listed"]);
  });
});
