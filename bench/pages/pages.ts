import { createBrowser, type Browser } from "../../src/bin/oauth-browser.js";
import { signedHeaders } from "../../src/simulator/world/signing.js";
import { processOptions, startRig, type Rig } from "../rig/rig.js";
import { portalIds, stockPortals } from "../rig/stock.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median, quantile } from "../report/statistics.js";
import { fillBusyPortal } from "./busy-portal.js";
import { pageList } from "./page-list.js";

const [PORTAL = 0] = portalIds(1);
const WARM_UPS = 5;
const BAR_MS = 200;

/** Opens an address and reads the answer to its end; resolves with the status. */
type Open = (path: string) => Promise<number>;

/** As an admin's browser does on the site, and as HubSpot's proxy does for the tab inside HubSpot. */
async function opener(rig: Rig): Promise<Open> {
  const browser = await signIn(rig.publicUrl);
  const { rows } = await rig.pool.query<{ user_id: string }>(
    `SELECT authorized_by_user_id AS user_id FROM portals WHERE portal_id = $1`,
    [PORTAL],
  );
  const asker = `userId=${rows[0]?.user_id ?? ""}&portalId=${PORTAL}&userEmail=rep%40acme.example&appId=170`;
  return async (path) => {
    if (path.startsWith("/settings")) return (await browser.open(rig.publicUrl + path)).status;
    const url = `${rig.publicUrl}${path}?${asker}`;
    const plan = { v3: "good" } as const;
    const headers = signedHeaders(
      { method: "GET", url, body: "" },
      { secret: rig.secret, nowMs: Date.now(), plan },
    );
    const response = await fetch(url, { headers });
    await response.text();
    return response.status;
  };
}

async function signIn(url: string): Promise<Browser> {
  const browser = createBrowser();
  let location: string | undefined = `${url}/settings/sign-in`;
  for (let hops = 0; location !== undefined && hops < 3; hops += 1)
    ({ location } = await browser.open(location));
  return browser;
}

async function timesOf(open: Open, path: string, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let call = 0; call < WARM_UPS + count; call += 1) {
    const from = performance.now();
    const status = await open(path);
    if (call < WARM_UPS) continue;
    if (status !== 200) throw new Error(`${path} answered ${status}`);
    took.push(performance.now() - from);
  }
  return took;
}

/**
 * How soon each page of the settings site is there, warm, one request after the other, for a portal with 100,000
 * executions, 60,000 of them of the last month.
 */
export async function measurePages(options: BenchOptions): Promise<Figure[]> {
  const count = options.isQuick ? 20 : 100;
  const rig = await startRig({ latencyMs: 10, ...processOptions(options) });
  try {
    await stockPortals(rig, { portalIds: [PORTAL], contacts: 1 });
    await fillBusyPortal(rig.pool, PORTAL);
    const open = await opener(rig);
    const figures: Figure[] = [];
    for (const [name, path] of Object.entries(await pageList(rig.pool, PORTAL))) {
      const took = await timesOf(open, path, count);
      const ours = quantile(took, 0.95);
      options.tell(`pages, ${name}: p50 ${median(took).toFixed(0)} ms, p95 ${ours.toFixed(0)} ms`);
      figures.push({
        area: "pages",
        id: `page-${name}`,
        what: `p95 of the page ${name}`,
        unit: "ms",
        ours,
        bar: { of: "ours", atMost: BAR_MS },
      });
    }
    return figures;
  } finally {
    await rig.close();
  }
}
