import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import pg from "pg";
import type { AppProcess, Exit } from "../../bench/chaos/app-process.js";
import { startProcessStage, type ProcessStage } from "../support/process-stage.js";

const LONGEST_STOP_MS = 20_000;
/** A wait for a lock takes 8 s, and the queue has two more to close. */
const LONGEST_LOCKED_STOP_MS = 13_000;

let stage: ProcessStage;

beforeEach(async () => {
  stage = await startProcessStage({ contacts: 60, spareWorkers: 1, simulator: { latencyMs: 300 } });
});

afterEach(() => stage.close({ graceMs: 0 }));

async function stop(app: AppProcess): Promise<Exit & { tookMs: number }> {
  const startedAt = performance.now();
  const ended = app.ended();
  app.signal("SIGTERM");
  return { ...((await ended) as Exit), tookMs: performance.now() - startedAt };
}

describe("SIGTERM", () => {
  test("a worker finishes what is under way, hands the portal over at once, and exits with 0 within 20 s", async () => {
    const { finished } = stage.run();
    await stage.simulator.waitFor(() => stage.enrolledCount() >= 10);
    const [owner, successor] = [stage.workers[0], stage.spareWorkers[0]] as [AppProcess, AppProcess];
    await successor.start();
    const exit = await stop(owner);
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.tookMs).toBeLessThan(LONGEST_STOP_MS);
    const handedOverAt = performance.now();
    await finished;
    // A hand-over in order leaves no lease to lapse.
    expect(performance.now() - handedOverAt).toBeLessThan(10_000);
    expect(stage.enrolledTwice()).toEqual([]);
    expect(stage.cast.portal.traffic.requestsOf("enrollment-lookup")).toBe(0);
  });

  test("a web process answers what it took, stores what it acknowledged, and exits with 0", async () => {
    const web = stage.webs[0] as AppProcess;
    const run = stage.run({ callsPerSecond: 200 });
    await stage.simulator.waitFor(() => run.counts().blocked >= 5);
    const exit = await stop(web);
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.tookMs).toBeLessThan(LONGEST_STOP_MS);
    const acknowledged = run.executions.filter(({ attempts }) =>
      attempts.some(({ status }) => status === 200),
    );
    const stored = (await stage.executionRows()).join("\n");
    expect(acknowledged.filter(({ callbackId }) => !stored.includes(callbackId))).toEqual([]);
    await expect(fetch(`${stage.publicUrl}/healthz`)).rejects.toThrow();
    await web.start();
    await run.finished;
    expect(stage.enrolledTwice()).toEqual([]);
  });
});

describe("somebody who has locked the queue's tables", () => {
  let other: pg.Client;

  beforeEach(async () => {
    other = new pg.Client({ connectionString: stage.database.url });
    await other.connect();
  });

  afterEach(() => other.end());

  async function lockTheQueue(): Promise<void> {
    const { rows } = await other.query<{ name: string }>(
      "SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = 'pgboss'::regnamespace AND relkind IN ('r', 'p')",
    );
    await other.query(
      `BEGIN; LOCK TABLE ${rows.map(({ name }) => name).join(", ")} IN ACCESS EXCLUSIVE MODE`,
    );
    const waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation::regclass::text LIKE 'pgboss.%'";
    while ((await other.query(waiting)).rowCount === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  test("holds up a worker's stop by the one wait that hands the portal over", async () => {
    stage.run();
    await stage.simulator.waitFor(() => stage.enrolledCount() >= 10);
    await lockTheQueue();
    const exit = await stop(stage.workers[0] as AppProcess);
    expect(exit).toMatchObject({ code: 0, signal: null });
    expect(exit.tookMs).toBeLessThan(LONGEST_LOCKED_STOP_MS);
    expect(stage.enrolledTwice()).toEqual([]);
  });
});

describe("a second signal", () => {
  test("is the same request at first; after two seconds it ends the process at once, whatever is under way", async () => {
    const owner = stage.workers[0] as AppProcess;
    stage.simulator.setFaults({ enroll: { slowAnswer: 1 }, slowMs: [8_000, 8_000] });
    stage.run();
    await stage.simulator.waitFor(() => stage.enrolledCount() >= 1);
    const ended = owner.ended() as Promise<Exit>;
    owner.signal("SIGTERM");
    owner.signal("SIGTERM");
    owner.signal("SIGINT");
    await expect(Promise.race([ended, pastTheSameWish()])).resolves.toBe("still there");
    const startedAt = performance.now();
    owner.signal("SIGTERM");
    expect(await ended).toMatchObject({ code: 1 });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

function pastTheSameWish(): Promise<"still there"> {
  return new Promise((resolve) => setTimeout(resolve, 2_500, "still there"));
}
