import { makeFlow } from "#domain/ready-made/change-made-flows.js";
import { listMadeFlows, type MadeFlow } from "#domain/ready-made/made-flow.js";
import type { RecipeChoices } from "#domain/ready-made/recipe.js";
import type { Admin } from "#domain/contract/actor.js";
import type { Flow } from "../../src/simulator/flows/flow-store.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { Browser } from "../../src/bin/oauth-browser.js";
import { addPlainPortal, startRunningApp, type RunningApp, type StartOptions } from "./start-app.js";

/** Moments instead of minutes. */
export const QUICK_ENTRIES = { stampedMs: 300, doubtMs: 100 } as const;

/** The app with an account that may have workflows made, and whose actions HubSpot has named. */
export interface OwnFlowsStage {
  readonly running: RunningApp;
  readonly portal: SimulatedPortal;
  readonly browser: Browser;
  readonly actor: Admin;
  make(choices: RecipeChoices, options?: { requestKey?: string; takesStamps?: boolean }): Promise<void>;
  made(): Promise<MadeFlow[]>;
  /** The newest one, once it is in this state. */
  untilMade(state: MadeFlow["state"]): Promise<MadeFlow>;
  /** Those of HubSpot that are called so. */
  inHubSpot(name: string): readonly Flow[];
  /** Turns a workflow on, as a person does in HubSpot, which changes its revision. */
  turnOn(flowId: string): Flow;
  until(holds: () => Promise<boolean> | boolean, what: string): Promise<void>;
  close(): Promise<void>;
}

const KINDS = ["ENROLL", "WAIT_FOR_SEQUENCE_END", "CHECK_ENROLLMENT"];

export async function startOwnFlowsStage(options: StartOptions = {}): Promise<OwnFlowsStage> {
  const running = await startRunningApp({ entryTimes: QUICK_ENTRIES, ...options });
  const portal = addPlainPortal(running.simulator, { contacts: 0 });
  const browser = await running.install(portal, "unenroll");
  const { pool } = running.db.database;
  const portalId = BigInt(portal.portalId);
  // As calls of the simulator's action tell; the others have numbers of their own.
  for (const [index, kind] of KINDS.entries())
    await pool.query("INSERT INTO action_types (definition_id, version, kind) VALUES ($1, 4, $2)", [
      String(170_012_345 + index),
      kind,
    ]);
  const actor: Admin = {
    kind: "admin",
    portalId,
    userId: BigInt(portal.admin.userId),
    userEmail: "ann@acme.example",
  };
  const made = () => listMadeFlows(pool, portalId);
  let keys = 0;

  async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
    const endsAt = Date.now() + 30_000;
    while (!(await holds())) {
      if (Date.now() > endsAt) throw new Error(`${what} did not come`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  return {
    running,
    portal,
    browser,
    actor,
    async make(choices, { requestKey = `key-${(keys += 1)}`, takesStamps = false } = {}) {
      const outcome = await makeFlow(pool, actor, { requestKey, choices, takesStamps });
      if (outcome.kind !== "asked") throw new Error(`the workflow was not asked for: ${outcome.kind}`);
    },
    made,
    async untilMade(state) {
      await until(async () => (await made())[0]?.state === state, `a workflow that is ${state}`);
      const [newest] = await made();
      if (newest === undefined) throw new Error("no workflow is left");
      return newest;
    },
    inHubSpot: (name) => portal.flows.all().filter((flow) => flow.name === name),
    turnOn(flowId) {
      const flow = portal.flows.find(flowId);
      if (flow === undefined) throw new Error(`no workflow ${flowId}`);
      return portal.flows.replace(flow, { ...flow, isEnabled: true }, Date.now());
    },
    until,
    close: () => running.close(),
  };
}
