import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { App } from "../../src/app.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp, type StartOptions } from "../support/start-app.js";

const LIMIT = 110;
const WINDOW_MS = 10_000;
/** More than two windows take. */
const BACKLOG = 240;

/** One app against one simulated HubSpot, with the moments of every request to it. */
class Scene {
  readonly running: RunningApp;
  readonly #arrivals = new Map<number, number[]>();
  readonly runs: { portal: SimulatedPortal; run: WorkflowRun }[] = [];

  constructor(running: RunningApp) {
    this.running = running;
    running.simulator.signals.on("request", ({ portalId }) => {
      if (portalId === undefined) return;
      const known = this.#arrivals.get(portalId) ?? [];
      this.#arrivals.set(portalId, known);
      known.push(performance.now());
    });
  }

  static async open(options: StartOptions): Promise<Scene> {
    const simulator = { latencyMs: [10, 60] as const, ...options.simulator };
    return new Scene(await startRunningApp({ ...options, simulator }));
  }

  /** Installs the app and sends the portal's contacts through the action. */
  async begin(contacts: number): Promise<SimulatedPortal> {
    const portal = addPlainPortal(this.running.simulator, { contacts });
    await this.running.install(portal);
    const run = portal.runAction({
      actionUrl: this.running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    this.runs.push({ portal, run });
    return portal;
  }

  async finish(): Promise<void> {
    await Promise.all(this.runs.map(({ run }) => run.finished));
  }

  /** Requests in the first `windows` windows since the portal's first request, over what HubSpot would have allowed. */
  useOf(portal: SimulatedPortal, windows: number): number {
    const arrivals = this.#arrivals.get(portal.portalId) ?? [];
    const [first = 0] = arrivals;
    const inTime = arrivals.filter((at) => at < first + windows * WINDOW_MS);
    return inTime.length / (windows * LIMIT);
  }

  expectKept({ portal, run }: { portal: SimulatedPortal; run: WorkflowRun }, limit = LIMIT): void {
    expect(portal.traffic.throttled).toBe(0);
    expect(this.running.simulator.peakOf(portal.portalId)).toBeLessThanOrEqual(limit);
    expect(run.executions.filter(({ outputs }) => outputs["enrollment_status"] !== "ENROLLED")).toEqual([]);
    for (const contactId of portal.contacts.keys())
      expect(portal.enrollments.factsOf(contactId).posts).toBe(1);
  }
}

/** The scenes last two to three of HubSpot's windows each, so they play at the same time. */
describe("at HubSpot's pace", () => {
  let several: Scene;
  let handedOver: Scene;
  let shared: Scene;
  let smaller: Scene;
  let workers: App[];
  const all = () => [several, handedOver, shared, smaller];

  beforeAll(async () => {
    [several, handedOver, shared, smaller] = await Promise.all([
      Scene.open({}),
      Scene.open({ environment: { ROLE: "web" } }),
      Scene.open({ environment: { ROLE: "web" } }),
      Scene.open({ simulator: { rateLimit: { requests: 100, windowMs: WINDOW_MS } } }),
    ]);
    await Promise.all([
      playSeveral().then(() => several.finish()),
      playHandOver().then(() => handedOver.finish()),
      playShared().then(() => shared.finish()),
      smaller.begin(BACKLOG).then(() => smaller.finish()),
    ]);
  });

  afterAll(() => Promise.all(all().map(({ running }) => running.close())));

  async function playSeveral(): Promise<void> {
    const large = await Promise.all([BACKLOG, BACKLOG, BACKLOG].map((contacts) => several.begin(contacts)));
    await several.running.simulator.waitFor(() => large.every(({ traffic }) => traffic.counted >= 105), {
      what: "budgets that are used up",
      timeoutMs: 30_000,
    });
    // A small customer that comes while the budgets of the others are used up.
    await several.begin(5);
  }

  /** The first worker is stopped in the middle of its first window, and again the second when it has had its own turn. */
  async function playHandOver(): Promise<void> {
    const { running } = handedOver;
    workers = [await running.startAnother({ ROLE: "worker" })];
    const portal = await handedOver.begin(BACKLOG);
    await running.simulator.waitFor(() => portal.enrollments.total >= 60, {
      what: "the first worker's work",
      timeoutMs: 30_000,
    });
    workers.push(await running.startAnother({ ROLE: "worker" }));
    await workers[0]?.close({ graceMs: 5_000 });
    await running.simulator.waitFor(() => portal.enrollments.total >= 150, {
      what: "the second worker's work",
      timeoutMs: 30_000,
    });
    workers.push(await running.startAnother({ ROLE: "worker" }));
    await workers[1]?.close({ graceMs: 5_000 });
  }

  /** Four workers at once for one portal: whichever is free takes it when another's turn is over. */
  async function playShared(): Promise<void> {
    await Promise.all(Array.from({ length: 4 }, () => shared.running.startAnother({ ROLE: "worker" })));
    await shared.begin(BACKLOG);
  }

  test("several portals with backlogs are all enrolled, without one 429 and never above the limit", () => {
    for (const entry of several.runs) several.expectKept(entry);
  });

  test("each of them uses at least 95% of its budget while its backlog lasts", () => {
    for (const { portal, run } of several.runs.filter((entry) => entry.run.executions.length === BACKLOG)) {
      expect(run.executions).toHaveLength(BACKLOG);
      expect(several.useOf(portal, 2)).toBeGreaterThanOrEqual(0.95);
    }
  });

  test("a small portal does not wait for the large ones", () => {
    const small = several.runs.find(({ run }) => run.executions.length === 5);
    const lastMs = (small?.portal.traffic.lastAtMs ?? 0) - (small?.portal.traffic.firstAtMs ?? 0);
    expect(lastMs).toBeLessThan(3_000);
  });

  test("a window that is handed from process to process is kept: no 429, nothing sent twice", () => {
    for (const entry of handedOver.runs) handedOver.expectKept(entry);
  });

  test("and the successors go on at once where the predecessors stopped", () => {
    for (const { portal } of handedOver.runs) expect(handedOver.useOf(portal, 2)).toBeGreaterThanOrEqual(0.9);
  });

  test("four workers on one portal cause no 429, and use its budget up together", () => {
    for (const entry of shared.runs) {
      shared.expectKept(entry);
      expect(shared.useOf(entry.portal, 2)).toBeGreaterThanOrEqual(0.95);
    }
  });

  test("an account that allows less than configured is met with what it allows, turn after turn", () => {
    for (const entry of smaller.runs) smaller.expectKept(entry, 100);
  });
});
