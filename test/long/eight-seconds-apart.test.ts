import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "@jest/globals";
import { CompletionWatch } from "../../bench/chaos/completion-watch.js";
import { capSenders } from "../../bench/chaos/sender-caps.js";
import { ensureBuilt, startStage } from "../../bench/chaos/stage.js";
import { judge, type Verdict } from "../../bench/chaos/verdict.js";
import { castPortal, endSequencesEarly, runWorkflows } from "../../bench/chaos/workload.js";
import type { FaultPlan } from "../../src/simulator/world/faults.js";
import { UNKIND_WORLD } from "../../src/simulator/world/presets.js";
import { randomFrom } from "../../src/simulator/world/random.js";

const MOVED_CLOCK = fileURLToPath(new URL("../support/moved-clock.mjs", import.meta.url));
const CONTACTS = 200;
/** Fewer than a sender's share of the contacts: each sender's cap is reached. */
const CAP = 30;
/** Half of the enroll requests without an answer took effect. */
const LOSSES: FaultPlan = {
  enroll: { errorBefore: 0.03, errorAfter: 0.03, resetBefore: 0.03, resetAfter: 0.06 },
  callbacks: { errorAfter: 0.1, resetAfter: 0.1 },
};
/** By then every contact that can be enrolled has been tried; what is tried again loses no answer. */
const TRIED = 0.7 * CONTACTS;
/**
 * All else is unkind. But an account that is told to stay away for a quarter of an hour stays away
 * (docs/reliability.md), and this test would wait with it.
 */
const openQuestions = { ...UNKIND_WORLD.openQuestions, retryAfter: "garbled" } as const;
/** A contact whose answer was lost waits 110 s before HubSpot is believed that it has no enrollment. */
const FINISHED_WITHIN_MS = 220_000;

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** Plays a workflow with three clocks away from the database's, and judges it by what HubSpot saw. */
async function play(aheadMs: { hubspot: number; web: number; worker: number }): Promise<Verdict> {
  const stage = await startStage({
    webs: 1,
    workers: 1,
    rateLimit: 400,
    environment: {
      NODE_OPTIONS: `--import=${MOVED_CLOCK}`,
      WEB_CLOCK_AHEAD_MS: String(aheadMs.web),
      WORKER_CLOCK_AHEAD_MS: String(aheadMs.worker),
    },
    simulator: { ...UNKIND_WORLD, openQuestions, clockOffsetMs: aheadMs.hubspot, latencyMs: [20, 200] },
  });
  closers.push(() => stage.close({ graceMs: 0 }));
  const { simulator } = stage;
  const cast = castPortal(simulator, { calls: CONTACTS, random: randomFrom(7) });
  await stage.install(cast.portal);
  await capSenders(stage.database.url, cast.portal, CAP);
  const watch = new CompletionWatch(simulator);
  const stopEnding = endSequencesEarly(simulator, 3);
  simulator.setFaults(LOSSES);
  const runs = runWorkflows(cast, { ...stage, callsPerSecond: 50 });
  await simulator.waitFor(() => cast.portal.traffic.requestsOf("enroll") >= TRIED, {
    timeoutMs: FINISHED_WITHIN_MS,
  });
  simulator.setFaults({});
  await Promise.all(runs.map(({ finished }) => finished));
  stopEnding();
  const none = { disturbances: [], restores: [] };
  return judge({ simulator, casts: [cast], runsOf: () => runs, watch, cap: CAP, ...none });
}

test(
  "with clocks eight seconds apart, either way, each contact is enrolled once, each workflow told once, and no cap passed",
  async () => {
    ensureBuilt();
    const verdicts = await Promise.all([
      play({ hubspot: 8_000, web: -8_000, worker: -8_000 }),
      play({ hubspot: -8_000, web: 8_000, worker: 8_000 }),
    ]);
    for (const verdict of verdicts) {
      expect(verdict).toMatchObject({ problems: [], overCap: 0, throttled: 0, givenUp: 0 });
      expect(verdict).toMatchObject({ calls: CONTACTS, accepted: CONTACTS, completed: CONTACTS });
      expect(verdict.resends.none).toBe(0);
      // What the promises are about did happen.
      expect(verdict.cappedContacts).toBeGreaterThan(0);
      expect(verdict.enrolled).toBeGreaterThan(CONTACTS / 2);
    }
  },
  FINISHED_WITHIN_MS + 60_000,
);
