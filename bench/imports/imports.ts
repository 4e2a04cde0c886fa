import { setTimeout as sleep } from "node:timers/promises";
import type { Admin } from "#domain/contract/actor.js";
import { createKey } from "#domain/keys/change-keys.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median } from "../report/statistics.js";
import { processOptions, startRig, type App, type Rig } from "../rig/rig.js";
import { portalIds, stockPortals } from "../rig/stock.js";

const [PORTAL = 0] = portalIds(1);
const LATENCY_MS = 5;
/** The most that the app takes. */
const LIMIT = 1_000;
const LOOK_MS = 250;
const TIMEOUT_MS = 300_000;
/** Of the memory after the large file over that after the small one. */
const FLAT = 1.25;

/** A file that is made as it is sent. */
function fileOf(rows: number, run: number): ReadableStream<Uint8Array> {
  let row = 0;
  return new ReadableStream({
    pull(controller) {
      if (row === 0) controller.enqueue(Buffer.from("Email,Name,Company\n"));
      const upTo = Math.min(rows, row + 500);
      let text = "";
      for (; row < upTo; row += 1) text += `lead${run}-${row}@lead.example,Ada Brandt ${row},Acme GmbH\n`;
      controller.enqueue(Buffer.from(text));
      if (row === rows) controller.close();
    },
  });
}

/** Notes the highest memory of processes until it is told to end. */
async function highest(apps: readonly App[], work: () => Promise<void>): Promise<number[]> {
  const most = apps.map(() => 0);
  let isEnded = false;
  const watching = (async () => {
    while (!isEnded) {
      const now = await Promise.all(apps.map((app) => app.memoryMb()));
      now.forEach((mb, index) => (most[index] = Math.max(most[index] ?? 0, mb)));
      await sleep(LOOK_MS);
    }
  })();
  try {
    await work();
  } finally {
    isEnded = true;
    await watching;
  }
  return most;
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

/** Uploads a file, has all of its rows tried, and reads the results to their end. @returns rows a second of each. */
async function importFile(
  { url, key, sequenceId }: { url: string; key: string; sequenceId: string },
  { rows, run }: { rows: number; run: number },
): Promise<{ upload: number; check: number }> {
  const at = `${url}/api/v1/imports`;
  const headers = { Authorization: `Bearer ${key}` };
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(at + path, { ...init, headers: { ...headers, ...init.headers } });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  const type = { "Content-Type": "text/csv" };
  const from = performance.now();
  const upload = { method: "POST", headers: type, body: fileOf(rows, run), duplex: "half" };
  const made = await ask("?name=Bench", upload);
  const { id } = (await made.json()) as { id: string };
  const uploadedAt = performance.now();
  const defaults = { sequence: { id: sequenceId } };
  await ask(`/${id}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ defaults }),
  });
  await ask(`/${id}/dry-run`, { method: "POST" });
  for (const giveUpAt = performance.now() + TIMEOUT_MS; ; await sleep(LOOK_MS)) {
    const { status } = (await (await ask(`/${id}`, {})).json()) as { status: string };
    if (status === "CHECKED") break;
    if (performance.now() > giveUpAt) throw new Error(`the import is still ${status}`);
  }
  const checkedAt = performance.now();
  await (await ask(`/${id}/results.csv`, {})).body?.pipeTo(new WritableStream());
  return {
    upload: (rows * 1_000) / (uploadedAt - from),
    check: (rows * 1_000) / (checkedAt - uploadedAt),
  };
}

/**
 * A file of 100,000 rows beside one of 10,000: it is uploaded, tried row by row and read again with its results, and the
 * processes need no more memory for it.
 */
export async function measureImports(options: BenchOptions): Promise<Figure[]> {
  const [small, large] = options.isQuick ? [1_000, 5_000] : [10_000, 100_000];
  const rig = await startRig({ rateLimit: LIMIT, latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    await stockPortals(rig, { portalIds: [PORTAL], contacts: 1 });
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
    const to = { url: app.url, key: key.key, sequenceId };
    const rates: { upload: number; check: number }[] = [];
    const [before = 0] = await highest([app], async () => {
      for (let run = 0; run < 2; run += 1) await importFile(to, { rows: small, run });
    });
    const [after = 0] = await highest([app], async () => {
      rates.push(await importFile(to, { rows: large, run: 2 }));
    });
    const [rate = { upload: 0, check: 0 }] = rates;
    options.tell(
      `imports: ${rate.upload.toFixed(0)} rows/s taken, ${rate.check.toFixed(0)} tried; memory ${before.toFixed(0)} MiB, then ${after.toFixed(0)} MiB`,
    );
    const area = "imports";
    return [
      {
        ...{ area, id: "imports-memory", unit: "MiB", ours: after, peer: before, ratio: after / before },
        what: `memory with a file of ${large.toLocaleString("en-US")} rows over one of ${small.toLocaleString("en-US")}`,
        bar: { of: "ratio", atMost: FLAT },
      },
      {
        area,
        id: "imports-upload",
        unit: "rows/s",
        ours: median([rate.upload]),
        what: "rows taken from a file",
      },
      {
        area,
        id: "imports-check",
        unit: "rows/s",
        ours: median([rate.check]),
        what: "rows tried without enrolling",
      },
    ];
  } finally {
    await rig.close();
  }
}
