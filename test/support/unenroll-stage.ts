import { switchOnUnenroll } from "#domain/unenroll/change-setup.js";
import { readSetup, type UnenrollSetup } from "#domain/unenroll/setup.js";
import { STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { UNENROLL_ROUTE } from "#domain/contract/actions/unenroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { createBrowser, type Browser } from "./browser.js";
import { addPlainPortal, startRunningApp, type RunningApp, type StartOptions } from "./start-app.js";

/** Everything within moments, instead of minutes. */
export const QUICK = { firstLookMs: 50, lookEveryMs: 100, patienceMs: 60_000, settleMs: 0 } as const;

/** The app with an account that can unenroll, or may switch it on. */
export interface UnenrollStage {
  readonly running: RunningApp;
  readonly portal: SimulatedPortal;
  /** The admin's, signed in. */
  readonly browser: Browser;
  readonly sequenceIds: readonly string[];
  /** A new contact, in the first sequence unless told otherwise. */
  enrolledContact(sequenceId?: string): string;
  /** A workflow's step “Unenroll from sequence” for the contacts. */
  unenroll(contactIds: readonly string[]): WorkflowRun;
  /** A workflow's step “Enroll in sequence” for the contacts, into the second sequence unless told otherwise. */
  enroll(contactIds: readonly string[], inputs?: Readonly<Record<string, string>>): WorkflowRun;
  outputsOf(run: WorkflowRun): Promise<Readonly<Record<string, string>>>;
  isStamped(contactId: string): boolean;
  setup(): Promise<UnenrollSetup | undefined>;
  until(holds: () => Promise<boolean> | boolean, what: string): Promise<void>;
  switchOn(): Promise<void>;
  close(): Promise<void>;
}

export async function startUnenrollStage(options: StartOptions = {}): Promise<UnenrollStage> {
  const running = await startRunningApp({ unenrolling: { times: QUICK }, ...options });
  const portal = addPlainPortal(running.simulator, { contacts: 0 });
  const sequenceIds = [...portal.sequences.keys()];
  await running.install(portal, "unenroll");
  const browser = createBrowser(running.publicUrl);
  const { location } = await browser.get("/settings/sign-in");
  const admin = { portalId: portal.portalId, userId: portal.admin.userId };
  await browser.get(running.simulator.authorize(location ?? "", admin));
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
    enroll: (contactIds, inputs = {}) =>
      portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds,
        inputs: { sequence_id: sequenceIds[1] ?? "", sender_mode: "contact_owner", ...inputs },
        objectProperties: [...REQUESTED_PROPERTIES],
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
