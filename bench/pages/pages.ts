import { createBrowser, type Browser } from "../../src/bin/browser-trip.js";
import { addHistory } from "../rig/backlog.js";
import { startRig, type Rig } from "../rig/rig.js";
import { portalIds, stockPortals } from "../rig/stock.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { quantile } from "../report/statistics.js";

const [PORTAL = 0] = portalIds(1);
const EXECUTIONS = 100_000;
const WARM_UPS = 5;
const BAR_MS = 200;

/** Pages by name; each is asked for with a session, one request after the other. */
async function pagesOf(rig: Rig): Promise<Record<string, string>> {
  const { rows } = await rig.pool.query<{ id: string }>(
    `SELECT id FROM executions WHERE portal_id = $1 ORDER BY id DESC OFFSET 500 LIMIT 1`,
    [PORTAL],
  );
  const id = rows[0]?.id ?? "0";
  const activity = "/settings/activity";
  return {
    overview: "/settings",
    activity,
    "activity-deep": `${activity}?before=${id}`,
    "activity-waiting": `${activity}?status=waiting`,
    "activity-reason": `${activity}?code=INBOX_NOT_CONNECTED&since=24h`,
    "activity-nothing": `${activity}?sequence=999`,
    "activity-search": `${activity}?q=ada.king77`,
    "activity-domain": `${activity}?q=%40nowhere.example`,
    story: `${activity}/${id}`,
    "bulk-question": `${activity}/bulk?action=retry`,
  };
}

async function signIn(url: string): Promise<Browser> {
  const browser = createBrowser();
  let location: string | undefined = `${url}/settings/sign-in`;
  for (let hops = 0; location !== undefined && hops < 3; hops += 1)
    ({ location } = await browser.open(location));
  return browser;
}

async function p95Of(browser: Browser, url: string, count: number): Promise<number> {
  const took: number[] = [];
  for (let call = 0; call < WARM_UPS + count; call += 1) {
    const from = performance.now();
    const { status } = await browser.open(url);
    if (status !== 200) throw new Error(`${url} answered ${status}`);
    if (call >= WARM_UPS) took.push(performance.now() - from);
  }
  return quantile(took, 0.95);
}

/** How soon each page of the settings site is there, warm, for a portal with 100,000 executions. */
export async function measurePages(options: BenchOptions): Promise<Figure[]> {
  const count = options.isQuick ? 20 : 100;
  const rig = await startRig({ latencyMs: 10 });
  try {
    await stockPortals(rig, { portalIds: [PORTAL], contacts: 1 });
    await addHistory(rig.pool, { portalIds: [PORTAL], total: EXECUTIONS });
    const browser = await signIn(rig.publicUrl);
    const figures: Figure[] = [];
    for (const [name, path] of Object.entries(await pagesOf(rig))) {
      const ours = await p95Of(browser, rig.publicUrl + path, count);
      options.tell(`pages, ${name}: p95 ${ours.toFixed(0)} ms`);
      figures.push({
        ...{ area: "pages", id: `page-${name}`, what: `p95 of the page ${name}`, unit: "ms", ours },
        bar: { of: "ours", atMost: BAR_MS },
      });
    }
    return figures;
  } finally {
    await rig.close();
  }
}
