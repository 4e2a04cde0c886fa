import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, makeFolder } from "../chaos/stage.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median } from "../report/statistics.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LOOK_MS = 5;
const START_TIMEOUT_MS = 60_000;
/** What a process that has come to rest uses. */
const REST_MS = 2_000;

interface Start {
  readonly seconds: number;
  readonly memoryMb: number;
}

function npmStart(folder: string, port: number): ChildProcess {
  return spawn("npm", ["start", "--silent"], {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"] ?? "",
      NODE_ENV: "development",
      HOME: process.env["HOME"] ?? folder,
      PORT: String(port),
      DATA_DIR: folder,
      HUBSPOT_CLIENT_ID: "bench-client",
      HUBSPOT_CLIENT_SECRET: "bench-secret",
      HUBSPOT_APP_ID: "170",
    },
    stdio: "ignore",
    // A group of its own: npm does not hand every signal on.
    detached: true,
  });
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const isReady = await fetch(url).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isReady) return;
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
    if (performance.now() > giveUpAt) throw new Error("npm start did not become ready");
    await sleep(LOOK_MS);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Resident memory of the app itself below npm, in MiB. */
function appMemoryMb(pid: number): number {
  if (read(`/proc/${pid}/cmdline`).split("\0")[1]?.endsWith("start.mjs") === true)
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? Number.NaN) / 1024;
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(/\s+/).filter(Boolean);
  return Math.max(Number.NEGATIVE_INFINITY, ...children.map((child) => appMemoryMb(Number(child))));
}

async function startOnce(folder: string): Promise<Start> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = npmStart(folder, port);
  const pid = child.pid as number;
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, child);
    const seconds = (performance.now() - startedAt) / 1_000;
    await sleep(REST_MS);
    return { seconds, memoryMb: appMemoryMb(pid) };
  } finally {
    process.kill(-pid, "SIGTERM");
    await ended;
  }
}

/** `npm start` with an embedded database that exists, until it is ready. */
export async function measureStart(options: BenchOptions): Promise<Figure[]> {
  const folder = makeFolder();
  try {
    const cold = await startOnce(path.join(folder, "data"));
    const warm: Start[] = [];
    for (let run = 1; run <= options.runs; run += 1) {
      warm.push(await startOnce(path.join(folder, "data")));
      options.tell(
        `start, run ${run}: ${warm.at(-1)?.seconds.toFixed(2)} s, ${warm.at(-1)?.memoryMb.toFixed(0)} MiB`,
      );
    }
    const of = { area: "start" };
    return [
      {
        ...of,
        id: "start-warm",
        what: "npm start to /readyz, warm embedded database",
        unit: "s",
        ours: median(warm.map(({ seconds }) => seconds)),
        runs: warm.map(({ seconds }) => seconds),
        bar: { of: "ours" as const, atMost: 2 },
      },
      {
        ...of,
        id: "start-cold",
        what: "the same with the database to be made",
        unit: "s",
        ours: cold.seconds,
      },
      {
        ...of,
        id: "start-memory",
        what: "resident memory at rest",
        unit: "MiB",
        ours: median(warm.map(({ memoryMb }) => memoryMb)),
        runs: warm.map(({ memoryMb }) => memoryMb),
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
