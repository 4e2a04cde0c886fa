import { fork, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ENTRY_PROPERTY } from "#domain/flow-entries/entry-property.js";
import type { FlowEntryState } from "#domain/flow-entries/flow-entry.js";
import { putInWorkflow } from "#domain/flow-entries/put-in-workflow.js";
import { flowWith, readFlowsAgain } from "../support/flows-stage.js";
import { startOwnFlowsStage, type OwnFlowsStage } from "../support/own-flows-stage.js";
import { chosen } from "../support/recipes.js";
import type { WorkerTask } from "../support/unenroll-process.js";

const SCRIPT = fileURLToPath(new URL("../support/unenroll-process.ts", import.meta.url));
/** Longer than a dead owner's portal waits for the next one, some 15 s: its contacts are still in the workflow then. */
const STEPS = 40;
const STEP_MS = 1_000;
/** So long an answer of HubSpot takes: a worker is killed while it waits for one. */
const ANSWER_MS = 150;
const LONGEST_WAIT_MS = 60_000;
/** Contacts for each kill. */
const CONTACTS = 2;

let stage: OwnFlowsStage;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  stage = await startOwnFlowsStage({
    environment: { ROLE: "web" },
    simulator: { flowDelayMs: STEP_MS, latencyMs: ANSWER_MS },
  });
}, 120_000);

afterAll(async () => {
  for (const worker of workers) worker.kill("SIGKILL");
  await stage.close();
});

function startWorker(): ChildProcess {
  const worker = fork(SCRIPT, { execArgv: ["--import", "tsx"] });
  workers.push(worker);
  const { environment } = stage.running;
  worker.send({ environment, diesBefore: undefined } satisfies WorkerTask);
  return worker;
}

const pool = () => stage.running.db.database.pool;

async function put(flowId: string): Promise<string[]> {
  const contacts = Array.from({ length: CONTACTS }, () => ({ id: stage.portal.addContact().id }));
  const request = { requestId: randomUUID(), flowId, contacts };
  expect((await putInWorkflow(pool(), stage.actor, request)).kind).toBe("accepted");
  return contacts.map(({ id }) => id);
}

const isAnyIn = (contactIds: readonly string[], state: FlowEntryState) => async (): Promise<boolean> => {
  const found = "SELECT FROM flow_entries WHERE contact_id = ANY($1) AND state = $2";
  return (await pool().query(found, [contactIds, state])).rowCount !== 0;
};

/** Looks often: what is waited for lasts no longer than an answer of HubSpot. */
async function untilSeen(holds: () => Promise<boolean> | boolean): Promise<void> {
  const endsAt = Date.now() + LONGEST_WAIT_MS;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("the moment to kill the worker did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const stampOf = (id: string) => stage.portal.propertiesOf(id)[ENTRY_PROPERTY] ?? "";
const timesIn = (contactId: string) =>
  stage.portal.flowEntries.filter((entry) => entry.contactId === contactId).length;

async function outcomeOf(contactId: string): Promise<string | null | undefined> {
  const { rows } = await pool().query<{ outcome: string | null }>(
    "SELECT outcome FROM flow_entries WHERE contact_id = $1",
    [contactId],
  );
  return rows[0]?.outcome;
}

test("workers killed at each step put every contact in once, and leave no value behind", async () => {
  const first = startWorker();
  await stage.make(chosen("FILTER", { name: "By property" }), { takesStamps: true });
  const stamped = (await stage.untilMade("MADE")).flowId ?? "";
  stage.turnOn(stamped);
  const steps = flowWith(
    "By hand",
    Array.from({ length: STEPS }, () => ({ type: "0-1" })),
  );
  const linked = steps.actions.map((action, index) =>
    action.type === "SINGLE_CONNECTION" && index + 1 < STEPS
      ? { ...action, connection: { edgeType: "STANDARD" as const, nextActionId: String(index + 2) } }
      : action,
  );
  const byHand = stage.portal.flows.create({ ...steps, actions: linked }, Date.now()).id;
  await readFlowsAgain(stage.running, stage.portal);
  first.kill("SIGKILL");

  const requests = (endpoint: "contacts" | "workflow-enrollments") =>
    stage.portal.traffic.requestsOf(endpoint);
  /** What has to be seen before the worker dies, by the contacts it is about. */
  const moments: readonly [string, (ids: readonly string[]) => () => Promise<boolean> | boolean][] = [
    [stamped, (ids) => isAnyIn(ids, "STAMPING")],
    [stamped, (ids) => () => ids.some((id) => stampOf(id) !== "")],
    [stamped, (ids) => isAnyIn(ids, "STAMPED")],
    [stamped, (ids) => isAnyIn(ids, "CLEARING")],
    [byHand, (ids) => isAnyIn(ids, "SENDING")],
    [byHand, (ids) => () => ids.some((id) => timesIn(id) > 0)],
    [
      byHand,
      () => {
        const before = requests("workflow-enrollments");
        return () => requests("workflow-enrollments") > before;
      },
    ],
  ];
  const all: string[] = [];
  for (const [flowId, momentOf] of moments) {
    const ids = await put(flowId);
    all.push(...ids);
    const seen = momentOf(ids);
    const worker = startWorker();
    await untilSeen(seen);
    worker.kill("SIGKILL");
  }
  startWorker();
  await untilSeen(
    async () => (await pool().query("SELECT FROM flow_entries WHERE state <> 'DONE'")).rowCount === 0,
  );

  const told = await Promise.all(all.map(async (id) => [await outcomeOf(id), timesIn(id)] as const));
  // One whose request was stored and never sent is in no workflow, and nobody can know: it says so.
  const unsent = told.filter(([outcome]) => outcome === "ANSWER_LOST");
  expect(unsent).toEqual(unsent.map(() => ["ANSWER_LOST", 0]));
  expect(unsent.length).toBeLessThanOrEqual(1);
  expect(told.filter((one) => !unsent.includes(one))).toEqual(
    told.slice(unsent.length).map(() => ["PUT_IN", 1]),
  );
  expect(all.filter((id) => stampOf(id) !== "")).toEqual([]);
}, 600_000);
