import { setTimeout as sleep } from "node:timers/promises";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { paths } from "#platform/hubspot/wire/paths.js";
import { cpuSecondsOf, databaseCpuSeconds, postmasterOf } from "../rig/cpu-time.js";
import { drainRate } from "../rig/drain-rate.js";
import { processOptions, startRig, type Rig } from "../rig/rig.js";
import { FIRST_CONTACT, SEQUENCE_ID } from "../rig/simulator-client.js";
import { portalIds, stockPortals, warmUp } from "../rig/stock.js";
import { accessTokens } from "../rig/tokens.js";
import { SENDER_USER_ID } from "../rig/backlog.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median } from "../report/statistics.js";
import type { Order } from "./bare-loop.js";

const LATENCY_MS = 50;
/** More than the volleys need: what is measured is the machine, not the budget. */
const LIMIT = 1_000;
/** As many as the app opens to HubSpot. */
const CONNECTIONS = 256;
const SENDER = { userId: SENDER_USER_ID };

/** Posts from a process of its own, so that both sides have one. @returns seconds */
function bareLoop(order: Order): Promise<number> {
  const script = fileURLToPath(new URL("./bare-loop.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(order));
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  return new Promise((resolve, reject) => {
    child.once("close", (code) => {
      if (code === 0) resolve(Number(said));
      else reject(new Error(`the bare loop ended with ${code}`));
    });
  });
}

interface Cost {
  readonly transactions: number;
  /** Microseconds of processor time. */
  readonly worker: number;
  readonly database: number;
}

/** What the worker and the database have spent so far. */
async function spent(
  rig: Rig,
  { worker, postmaster }: { worker: number; postmaster: number },
): Promise<Cost> {
  // Backends report their transactions a second late.
  await sleep(1_500);
  const { rows } = await rig.pool.query<{ commits: string }>(
    `SELECT xact_commit AS commits FROM pg_stat_database WHERE datname = current_database()`,
  );
  return {
    transactions: Number(rows[0]?.commits),
    worker: cpuSecondsOf(worker) * 1e6,
    database: databaseCpuSeconds(postmaster) * 1e6,
  };
}

async function senderEmail(rig: Rig): Promise<string> {
  const { rows } = await rig.pool.query<{ email: string }>(
    `SELECT email FROM owners WHERE user_id = $1 LIMIT 1`,
    [SENDER.userId],
  );
  return rows[0]?.email ?? "";
}

/** Many portals with work at the same moment, one worker, against a loop that posts the same and stores nothing. */
export async function measurePortals(options: BenchOptions): Promise<Figure[]> {
  const [count, each] = options.isQuick ? [40, 50] : [200, 60];
  const rig = await startRig({ rateLimit: LIMIT, latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    const ids = portalIds(count);
    await stockPortals(rig, { portalIds: ids, contacts: 1 + 2 * each * options.runs });
    const worker = await rig.startApp({ role: "worker", name: "worker" });
    await warmUp(rig, ids);
    const order = {
      url: rig.simulator.url,
      path: paths.enrollments,
      completionsPath: paths.completeBatch,
      tokens: await accessTokens(rig, ids),
      each,
      connections: CONNECTIONS,
      sequenceId: SEQUENCE_ID,
      userId: SENDER.userId,
      senderEmail: await senderEmail(rig),
    };
    const pids = { worker: worker.pid, postmaster: await postmasterOf(rig.pool) };
    const costs: Cost[] = [];
    const ours: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < options.runs; run += 1) {
      const from = 1 + 2 * each * run;
      const before = await spent(rig, pids);
      ours.push(await drainRate(rig.pool, { portalIds: ids, each, from }));
      const after = await spent(rig, pids);
      costs.push({
        transactions: (after.transactions - before.transactions) / (each * count),
        worker: (after.worker - before.worker) / (each * count),
        database: (after.database - before.database) / (each * count),
      });
      bare.push((each * count) / (await bareLoop({ ...order, firstContact: FIRST_CONTACT + from + each })));
      options.tell(
        `portals, run ${run + 1}: ours ${ours.at(-1)?.toFixed(0)}/s, bare loop ${bare.at(-1)?.toFixed(0)}/s, ` +
          `${costs.at(-1)?.transactions.toFixed(2)} transactions ` +
          `worker ${costs.at(-1)?.worker.toFixed(0)} µs and database ${costs.at(-1)?.database.toFixed(0)} µs each, ` +
          `worker ${(await worker.memoryMb()).toFixed(0)} MiB`,
      );
    }
    const ratios = ours.map((rate, index) => rate / (bare[index] ?? Number.NaN));
    const throttled = (await rig.simulator.allTraffic()).reduce((sum, traffic) => sum + traffic.throttled, 0);
    return [
      {
        id: "portals-rate",
        area: "portals",
        unit: "1/s",
        what: `enrollments of ${count} portals at once, ${LATENCY_MS} ms latency, against a bare loop`,
        ours: median(ours),
        peer: median(bare),
        ratio: median(ratios),
        runs: ratios,
      },
      {
        id: "portals-transactions",
        area: "portals",
        unit: "1",
        what: "transactions per enrollment",
        ours: median(costs.map(({ transactions }) => transactions)),
        runs: costs.map(({ transactions }) => transactions),
      },
      {
        id: "portals-cpu-worker",
        area: "portals",
        unit: "µs",
        what: "the worker's processor time per enrollment",
        ours: median(costs.map(({ worker: spentByWorker }) => spentByWorker)),
        runs: costs.map(({ worker: spentByWorker }) => spentByWorker),
      },
      {
        id: "portals-cpu-database",
        area: "portals",
        unit: "µs",
        what: "the database's processor time per enrollment",
        ours: median(costs.map(({ database }) => database)),
        runs: costs.map(({ database }) => database),
      },
      {
        id: "portals-429",
        area: "portals",
        unit: "answers",
        what: "429s caused by us",
        ours: throttled,
        bar: { of: "ours" as const, atMost: 0 },
      },
    ];
  } finally {
    await rig.close();
  }
}
