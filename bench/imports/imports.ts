import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "#domain/contract/actor.js";
import { createKey } from "#domain/keys/change-keys.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median } from "../report/statistics.js";
import { processOptions, startRig, type App, type Rig } from "../rig/rig.js";
import { importFile, KNOWN_EVERY, type Rates } from "./import-file.js";
import { portalIds, stockPortals } from "../rig/stock.js";

const [PORTAL = 0] = portalIds(1);
const LATENCY_MS = 5;
/** The most that the app takes. */
const LIMIT = 1_000;
const LOOK_MS = 250;
const TIMEOUT_MS = 300_000;
/** Of the small file, before its memory counts: what is compiled and opened once is there then. */
const SMALL_RUNS = 2;
/** Of the memory after the large file over that after the small one. */
const FLAT = 1.25;
/** At no time more. */
const MOST_MIB = 384;

/** What a process's memory was during some work, in MiB. */
interface Memory {
  readonly usual: number;
  readonly most: number;
}

/**
 * Watches a process's memory. It rises until the collector goes through all of it, every few minutes, and falls: how high it
 * comes depends on how long the work takes, so files are compared by their medians and the highest is bounded by itself.
 */
async function memoryDuring(app: App, work: () => Promise<void>): Promise<Memory> {
  const seen: number[] = [];
  let isEnded = false;
  const watching = (async () => {
    while (!isEnded) {
      seen.push(await app.memoryMb());
      await sleep(LOOK_MS);
    }
  })();
  try {
    await work();
  } finally {
    isEnded = true;
    await watching;
  }
  return { usual: median(seen), most: Math.max(...seen) };
}

/** Once the account's directory has been read. @throws Error where that takes long. */
async function anySequence({ pool }: Rig): Promise<string> {
  for (const giveUpAt = performance.now() + TIMEOUT_MS; ; await sleep(LOOK_MS)) {
    const { rows } = await pool.query<{ id: string }>(
      "SELECT min(sequence_id) AS id FROM sequences WHERE portal_id = $1 AND is_listed",
      [PORTAL],
    );
    if (rows[0]?.id) return rows[0].id;
    if (performance.now() > giveUpAt) throw new Error("the directory was not read");
  }
}

/**
 * A file of 100,000 rows beside one of 10,000: it is uploaded, tried row by row, run to its end and read again with its
 * results. The process needs no more memory for it, and HubSpot is asked to enroll each of its contacts once.
 */
export async function measureImports(options: BenchOptions): Promise<Figure[]> {
  const [small, large] = options.isQuick ? [1_000, 5_000] : [10_000, 100_000];
  const rig = await startRig({ rateLimit: LIMIT, latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    const known = (rows: number): number => Math.ceil(rows / KNOWN_EVERY);
    const contacts = SMALL_RUNS * known(small) + known(large);
    await stockPortals(rig, { portalIds: [PORTAL], contacts });
    await rig.stopApps();
    const app = await rig.startApp({ role: "all", name: "all" });
    const sequenceId = await anySequence(rig);
    const admin: Admin = { kind: "admin", portalId: BigInt(PORTAL), userId: null, userEmail: null };
    const draft = {
      name: "Bench",
      scopes: ["enrollments:read", "enrollments:write"],
      expiresAt: undefined,
    } as const;
    const key = await createKey(rig.pool, admin, draft);
    if (key.kind !== "created") throw new Error(`no key was made: ${key.kind}`);
    const to = { app, key: key.key, sequenceId };
    const rates: Rates[] = [];
    const before = await memoryDuring(app, async () => {
      for (let run = 0; run < SMALL_RUNS; run += 1)
        await importFile(to, { rows: small, run, knownFrom: run * known(small) });
    });
    const after = await memoryDuring(app, async () => {
      rates.push(
        await importFile(to, { rows: large, run: SMALL_RUNS, knownFrom: SMALL_RUNS * known(small) }),
      );
    });
    const { enrollments } = await rig.simulator.traffic(PORTAL);
    if (enrollments !== contacts) throw new Error(`HubSpot enrolled ${enrollments} of ${contacts} contacts`);
    const [rate] = rates;
    if (rate === undefined) throw new Error("the large file was not imported");
    const marks = rate.memory.map((mb) => mb.toFixed(0)).join(", ");
    options.tell(
      `imports: ${rate.upload.toFixed(0)} rows/s taken, ${rate.check.toFixed(0)} tried, ${rate.run.toFixed(0)} run; ` +
        `memory ${before.usual.toFixed(0)} MiB, then ${after.usual.toFixed(0)} MiB, ${after.most.toFixed(0)} MiB at most; ${marks} MiB with 10%, 50% and all rows handled`,
    );
    return figuresOf(rate, { large, small, before, after });
  } finally {
    await rig.close();
  }
}

function figuresOf(
  { upload, check, run, memory }: Rates,
  { large, small, before, after }: { large: number; small: number; before: Memory; after: Memory },
): Figure[] {
  const [atTenth = 0, , atEnd = 0] = memory;
  const area = "imports";
  const rate = { area, unit: "rows/s" };
  const mib = { area, unit: "MiB", bar: { of: "ratio" as const, atMost: FLAT } };
  return [
    {
      ...{
        ...mib,
        id: "imports-memory",
        ours: after.usual,
        peer: before.usual,
        ratio: after.usual / before.usual,
      },
      what: `median of the memory with a file of ${large.toLocaleString("en-US")} rows over one of ${small.toLocaleString("en-US")}`,
    },
    {
      ...{ ...mib, id: "imports-memory-run", ours: atEnd, peer: atTenth, ratio: atEnd / atTenth },
      what: "memory when all rows were run over that when a tenth was",
    },
    {
      ...{ area, id: "imports-memory-most", unit: "MiB", ours: after.most },
      what: "highest memory with the large file",
      bar: { of: "ours", atMost: MOST_MIB },
    },
    { ...rate, id: "imports-upload", ours: upload, what: "rows taken from a file" },
    { ...rate, id: "imports-check", ours: check, what: "rows tried without enrolling" },
    { ...rate, id: "imports-run", ours: run, what: `rows run, of which one in ${KNOWN_EVERY} is enrolled` },
  ];
}
