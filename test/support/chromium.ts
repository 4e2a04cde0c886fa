import { existsSync } from "node:fs";
import { describe } from "@jest/globals";
import axe from "axe-core";
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/google-chrome"];

/** The browser of this machine: `CHROMIUM_PATH`, or where Linux packages put it; undefined if there is none. */
function findChromium(): string | undefined {
  const named = process.env["CHROMIUM_PATH"];
  return (named === undefined || named === "" ? PLACES : [named]).find((place) => existsSync(place));
}

/**
 * `describe` for a suite in a real browser. If there is none it is skipped with a line that says how to run it; in CI
 * (`CI=true`) it runs anyway, and fails.
 */
export function browserSuite(what: string): typeof describe | typeof describe.skip {
  if (findChromium() !== undefined || process.env["CI"] === "true") return describe;
  process.stderr.write(
    `Skipped: ${what} in a real browser. Install Chromium, or set CHROMIUM_PATH to one, to run it.\n`,
  );
  return describe.skip;
}

/**
 * Without a sandbox, since the suite may run as root; it only ever opens our own pages.
 *
 * @throws Error where this machine has no browser.
 */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("No browser at CHROMIUM_PATH, /usr/bin/chromium or /usr/bin/google-chrome");
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    // Else each page opened gets a process of its own, which takes longer than the page.
    "--disable-site-isolation-trials",
  ];
  return chromium.launch({ executablePath, args });
}

/** A tab of a person of their own, and what it complained about: console, faults, dialogs. */
export interface Tab {
  readonly page: Page;
  readonly complaints: string[];
  readonly close: () => Promise<void>;
}

export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (fault) => void complaints.push(fault.message));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, complaints, close: () => context.close() };
}

/** Only what is wrong: the nodes that pass are thousands, and telling them costs more than finding them. */
const RUN_AXE = `axe.run(document, { resultTypes: ["violations"], preload: false }).then(({ violations }) => violations)`;

/** What axe finds on the page as it stands, one line for each place. */
export async function findBarriers(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(axe.source);
  const violations = await page.evaluate<axe.Result[]>(RUN_AXE);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id} at ${node.target.join(" ")}: ${node.failureSummary ?? ""}`),
  );
}

/** How far the page can be scrolled sideways, in CSS pixels. */
export function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** More stops than any page has. */
const MOST_STOPS = 200;

/** What has the focus, in a few words. */
const FOCUSED = `(document.activeElement?.outerHTML ?? "nothing").slice(0, 200)`;

/**
 * Presses Tab until the one element that is meant has the focus, as a person without a mouse does.
 *
 * @throws Error where it cannot be reached so, with the first stops.
 */
export async function tabTo(page: Page, meant: Locator): Promise<void> {
  const stops: string[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    if ((await meant.and(page.locator(":focus")).count()) > 0) return;
    stops.push(await page.evaluate<string>(FOCUSED));
  }
  throw new Error(`Tab does not reach ${String(meant)}, but ${stops.slice(0, 10).join("\n")}`);
}
