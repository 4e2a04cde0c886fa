import { randomFrom } from "../../src/simulator/world/random.js";
import { UNKIND_WORLD } from "../../src/simulator/world/presets.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { ensureBuilt, startStage, type Stage, type StageOptions } from "../../bench/chaos/stage.js";
import { castPortal, runWorkflows, type Cast } from "../../bench/chaos/workload.js";
import { query } from "./sql.js";

/** Real processes of the built app in the unkind world, with one portal that has the app installed. */
export interface ProcessStage extends Stage {
  readonly cast: Cast;
  /** Sends the portal's contacts through the action, all at once unless told otherwise. */
  run(options?: { callsPerSecond?: number }): WorkflowRun;
  enrolledCount(): number;
  /** Contacts for whom HubSpot accepted more than one enrollment, or got a POST while one was active. */
  enrolledTwice(): string[];
  /** Rows of the executions table by state. */
  states(): Promise<Record<string, number>>;
  /** Every execution row, as text, for comparing two moments. */
  executionRows(): Promise<string[]>;
}

export async function startProcessStage(
  options: Partial<StageOptions> & { contacts: number },
): Promise<ProcessStage> {
  ensureBuilt();
  const simulator = { ...UNKIND_WORLD, ...options.simulator };
  const stage = await startStage({ webs: 1, workers: 1, rateLimit: 400, ...options, simulator });
  try {
    const cast = castPortal(stage.simulator, { calls: options.contacts, random: randomFrom(7) });
    await stage.install(cast.portal);
    return { ...stage, cast, ...views(stage, cast) };
  } catch (error) {
    await stage.close({ graceMs: 0 });
    throw error;
  }
}

function views(stage: Stage, cast: Cast) {
  const { enrollments } = cast.portal;
  return {
    run({ callsPerSecond = 1_000 }: { callsPerSecond?: number } = {}): WorkflowRun {
      const { actionUrls, publicUrl } = stage;
      return runWorkflows(cast, { actionUrls, publicUrl, callsPerSecond })[0] as WorkflowRun;
    },
    enrolledCount: () => enrollments.total,
    enrolledTwice: () =>
      cast.contactIds.filter((id) => {
        const { accepted, whileActive } = enrollments.factsOf(id);
        return accepted > 1 || whileActive > 0;
      }),
    async states() {
      const rows = await query(
        stage.database.url,
        "SELECT state, count(*)::int AS count FROM executions GROUP BY state",
      );
      return Object.fromEntries(rows.map(({ state, count }) => [String(state), Number(count)]));
    },
    async executionRows() {
      const rows = await query(stage.database.url, "SELECT e::text AS row FROM executions e ORDER BY e.id");
      return rows.map(({ row }) => String(row));
    },
  };
}
