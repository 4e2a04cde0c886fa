/**
 * Takes the pictures of the README from the demo, which has to be running: `npm run demo`, and once it names its settings
 * page, `node .ci/take-pictures.mjs http://localhost:3000`. Needs Chromium, or `CHROMIUM_PATH`.
 */
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [origin = "http://localhost:3000"] = process.argv.slice(2);
const folder = fileURLToPath(new URL("../docs/images/", import.meta.url));
const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
page.setDefaultTimeout(30_000);

async function take(name, address) {
  await page.goto(origin + address);
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: true });
}

/** Where the first row of a list leads to. */
async function firstStory(query) {
  await page.goto(`${origin}/settings/activity?${query}`);
  return page.locator('main table a[href^="/settings/activity/"]').first().getAttribute("href");
}

try {
  await page.goto(`${origin}/settings/sign-in`);
  // The demo's HubSpot asks once.
  const agree = page.getByRole("button", { name: "Connect app" });
  if (await agree.isVisible()) await agree.click();
  await page.waitForURL(`${origin}/settings*`);
  await take("overview", "/settings?range=30d");
  await take("reports", "/settings/reports?by=workflow&range=30d");
  await take("workflows", "/settings/workflows");
  await take("senders", "/settings/senders");
  await take("story", await firstStory("code=SENDER_LIMIT_REACHED"));
  await take("ended", await firstStory("status=enrolled&to=" + daysAgo(9)));
} finally {
  await browser.close();
}

/** So long ago that the end of an enrollment is known by now. */
function daysAgo(days) {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}
