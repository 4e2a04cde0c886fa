import { switchOnUnenroll } from "#domain/unenroll/change-setup.js";
import { readSetup, type UnenrollSetup } from "#domain/unenroll/setup.js";
import { STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import { UNENROLL_ROUTE } from "#domain/contract/actions/unenroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import type { Browser } from "../../src/bin/oauth-browser.js";
import { addPlainPortal, startRunningApp, type RunningApp, type StartOptions } from "./start-app.js";

/** Everything within moments, instead of minutes. */
export const QUICK = { firstLookMs: 50, lookEveryMs: 100, patienceMs: 60_000, settleMs: 0 } as const;

/** The app with an account that can unenroll, or may switch it on. */
export interface UnenrollStage {
  readonly running: RunningApp;
  readonly portal: SimulatedPortal;
  readonly browser: Browser;
  readonly sequenceIds: readonly string[];
  /** A new contact, in the first sequence unless told otherwise. */
  enrolledContact(sequenceId?: string): string;
  /** A workflow's step “Unenroll from sequence” for the contacts. */
  unenroll(contactIds: readonly string[]): WorkflowRun;
  outputsOf(run: WorkflowRun): Promise<Readonly<Record<string, string>>>;
  isStamped(contactId: string): boolean;
  setup(): Promise<UnenrollSetup | undefined>;
  until(holds: () => Promise<boolean> | boolean, what: string): Promise<void>;
  switchOn(): Promise<void>;
  /** Stamps that HubSpot took so far, and emptyings. */
  close(): Promise<void>;
}

export async function startUnenrollStage(options: StartOptions = {}): Promise<UnenrollStage> {
  const running = await startRunningApp({ unenrollTimes: QUICK, ...options });
  const portal = addPlainPortal(running.simulator, { contacts: 0 });
  const sequenceIds = [...portal.sequences.keys()];
  const browser = await running.install(portal, "unenroll");
  const { pool } = running.db.database;
  const portalId = BigInt(portal.portalId);
  const setup = () => readSetup({ pool }, portalId);

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
    sequenceIds,
    enrolledContact(sequenceId = sequenceIds[0] ?? "") {
      const { id } = portal.addContact();
      portal.enrollInUi(id, { sequenceId, agoMs: 3_600_000 });
      return id;
    },
    unenroll: (contactIds) =>
      portal.runAction({
        actionUrl: running.publicUrl + UNENROLL_ROUTE,
        contactIds,
        inputs: {},
        objectProperties: [],
      }),
    async outputsOf(run) {
      await run.finished;
      return run.executions[0]?.outputs ?? {};
    },
    isStamped: (contactId) => (portal.propertiesOf(contactId)[STAMP_PROPERTY] ?? "") !== "",
    setup,
    until,
    async switchOn() {
      const actor = {
        kind: "admin",
        portalId,
        userId: BigInt(portal.admin.userId),
        userEmail: null,
      } as const;
      await switchOnUnenroll(pool, actor);
      await until(async () => (await setup())?.state === "ON", "the helper workflow");
    },
    close: () => running.close(),
  };
}
