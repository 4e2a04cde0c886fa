import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { startApp, type App } from "../app.js";
import { readConfig } from "../config.js";
import { openDatabase, type Database } from "#platform/db/client.js";
import { startEmbeddedPostgres } from "#platform/db/embedded/embedded-postgres.js";
import { FEATURE_SCOPES, OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { createLogger } from "#platform/observability/logger.js";
import { listenForStop, stopWished, type StopWish } from "#platform/time/orderly-stop.js";
import { startSimulator } from "../simulator/simulator.js";
import { createBrowser, installByBrowser } from "./oauth-browser.js";
import { seedAccount } from "./demo-account.js";
import { decidePolicy, type DemoPolicy } from "./demo-policy.js";
import {
  isFaultless,
  RATE_LIMIT,
  readFigures,
  renderFigures,
  renderInvitation,
  renderReasons,
  renderStep,
} from "./demo-report.js";
import { playHistory, storeHistory } from "./demo-history.js";
import { showDemoProgress } from "./demo-progress.js";
import { addFlows, runBoth, runCheck, runWait, type DemoStage } from "./demo-workflows.js";

const CLIENT_ID = "demo-client";
const APP_ID = "1";
const PREFERRED_PORT = 3000;
/** How many inbound contacts go on to the next steps: the last ones, of whom some were not enrolled. */
const NEXT_STEP_CONTACTS = 20;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** 3000 if it is free, so that the URL looks like the README's; otherwise any port. */
function freePort(preferred: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () => (preferred === 0 ? reject(new Error("no free port")) : resolve(freePort(0))));
    probe.listen(preferred, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => {
        resolve(port);
      });
    });
  });
}

async function startDemoApp(options: {
  simulatorUrl: string;
  port: number;
  secret: string;
  dataDir: string;
  databaseUrl: string;
}): Promise<App> {
  const config = readConfig({
    NODE_ENV: "development",
    PORT: String(options.port),
    DATA_DIR: options.dataDir,
    DATABASE_URL: options.databaseUrl,
    ENCRYPTION_KEYS: `demo:${randomBytes(32).toString("base64")}`,
    SESSION_SECRET: randomBytes(32).toString("base64"),
    HUBSPOT_CLIENT_ID: CLIENT_ID,
    HUBSPOT_CLIENT_SECRET: options.secret,
    HUBSPOT_APP_ID: APP_ID,
    HUBSPOT_API_URL: options.simulatorUrl,
    HUBSPOT_APP_URL: options.simulatorUrl,
    LOG_LEVEL: process.env["LOG_LEVEL"] ?? "warn",
  });
  return startApp(config, createLogger({ level: config.logLevel }));
}

/** Both workflows through the enroll step. */
async function enrollAll(stage: DemoStage, policy: DemoPolicy) {
  const { portal, outbound, inbound } = stage.account;
  print(`  Two workflows send contacts through “Enroll in sequence”:`);
  print(`    Outbound  ${outbound.length} contacts, sent by their owner`);
  print(`    Inbound    ${inbound.length} contacts, the owner first, then the rotation “Inbound desk”`);
  print(`    HubSpot repeats 5% of its calls; no contact may be enrolled twice.`);
  const runs = await runBoth(stage, policy);
  const stopProgress = showDemoProgress(Object.values(runs), portal);
  await Promise.all([runs.outbound.finished, runs.inbound.finished]);
  stopProgress();
  return { Outbound: runs.outbound, Inbound: runs.inbound };
}

/** The inbound workflow continues: a branch on whether the contact is enrolled, and a wait for the end. */
async function goOn(stage: DemoStage, contactIds: readonly string[]): Promise<void> {
  const check = await runCheck(stage, contactIds);
  const told = renderStep(check, ({ is_enrolled }) => `is_enrolled ${is_enrolled ?? ""}`);
  print(
    `\n  “Check sequence enrollment”, the next action for ${contactIds.length} inbound contacts: ${told}`,
  );
  const enrolled = check.executions.filter(({ outputs }) => outputs["is_enrolled"] === "true");
  const wait = await runWait(
    stage,
    enrolled.map(({ contactId }) => contactId),
  );
  const ends = renderStep(wait, ({ outcome }) => outcome ?? "");
  print(`  “Wait for sequence end”, for those who are enrolled: ${ends}`);
}

async function play(stage: DemoStage, database: Database): Promise<boolean> {
  const { simulator, account, publicUrl } = stage;
  const { portal } = account;
  const admin = { portalId: portal.portalId, userId: portal.admin.userId };
  await installByBrowser({
    publicUrl,
    browser: createBrowser(),
    consent: (url) => simulator.authorize(url, admin),
  });
  const policy = await decidePolicy(database, account);
  addFlows(account, policy);
  const history = playHistory(portal, account.sequenceId);
  await storeHistory(database, { ...account, policy }, history);
  // Only now: what happened in the last two weeks was reported then.
  simulator.setWebhookTarget({ url: publicUrl + WEBHOOK_ROUTE });
  print(
    `  Installed in the simulated account ${portal.portalId} by OAuth, with two presets, a rotation, and a history of ${history.length} contacts.`,
  );
  const startedAtMs = performance.now();
  const runs = await enrollAll(stage, policy);
  print(renderReasons(portal, runs));
  await goOn(stage, account.inbound.slice(-NEXT_STEP_CONTACTS));
  const figures = readFigures(portal, {
    contacts: account.outbound.length + account.inbound.length,
    seconds: (performance.now() - startedAtMs) / 1_000,
    peakInWindow: simulator.peakOf(portal.portalId),
  });
  print(renderFigures(figures));
  return isFaultless(figures);
}

/** What has been opened, to be closed in reverse order. */
type Closers = (() => Promise<void>)[];

interface Place {
  port: number;
  publicUrl: string;
  secret: string;
  dataDir: string;
}

async function openStage(
  { port, publicUrl, secret, dataDir }: Place,
  closers: Closers,
  stopping: AbortSignal,
): Promise<{ stage: DemoStage; database: Database }> {
  const simulator = await startSimulator({
    clientId: CLIENT_ID,
    clientSecrets: [secret],
    appId: APP_ID,
    appName: "Sequence Enroller",
    asksOnce: true,
    redirectUris: [`${publicUrl}/oauth/callback`],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: [...OPTIONAL_SCOPES, ...Object.values(FEATURE_SCOPES).flat()],
    rateLimit: RATE_LIMIT,
    latencyMs: [30, 90],
  });
  closers.push(() => simulator.close());
  const account = seedAccount(simulator);
  stopping.throwIfAborted();
  const server = await startEmbeddedPostgres({ dataDir, logger: createLogger({ level: "warn" }) });
  closers.push(() => server.stop());
  stopping.throwIfAborted();
  const { url: databaseUrl } = server;
  const app = await startDemoApp({ simulatorUrl: simulator.url, port, secret, dataDir, databaseUrl });
  closers.push(() => app.close({ graceMs: 2_000 }));
  stopping.throwIfAborted();
  const database = openDatabase({
    url: databaseUrl,
    applicationName: "sequence-enroller-demo",
    poolSize: 2,
  });
  closers.push(() => database.close());
  return { stage: { simulator, account, publicUrl }, database };
}

/** @returns whether everything went well. Unless told otherwise, the site stays up until a request to stop. */
async function show(place: Place, closers: Closers, wish: StopWish): Promise<boolean> {
  // npm keeps options before `--` for itself, and passes them in the environment.
  const isOnce = process.argv.includes("--once") || process.env["npm_config_once"] === "true";
  print("Sequence Enroller demo: the app, a simulated HubSpot and a database, all on this machine.");
  const { stage, database } = await openStage(place, closers, wish.signal);
  const interrupted = stopWished(wish);
  if (!isOnce) print("  Run with --once to exit when it is done.");
  const isGood = await Promise.race([play(stage, database), interrupted.then(() => false)]);
  if (!isOnce && isGood) {
    print(renderInvitation(place.publicUrl, stage.account));
    await interrupted;
  }
  return isGood;
}

async function main(): Promise<number> {
  // Before anything exists that a signal would leave behind.
  const wish = listenForStop({ onImpatience: () => process.exit(1) });
  const port = await freePort(PREFERRED_PORT);
  const secret = randomBytes(24).toString("base64url");
  const dataDir = mkdtempSync(path.join(tmpdir(), "sequence-enroller-demo-"));
  // As root, the database runs under another account, which has to reach the folder.
  chmodSync(dataDir, 0o711);
  const closers: Closers = [];
  try {
    const place = { port, publicUrl: `http://localhost:${port}`, secret, dataDir };
    return (await show(place, closers, wish)) ? 0 : 1;
  } catch (error) {
    if (wish.signal.aborted) return 1;
    throw error;
  } finally {
    for (const close of closers.reverse()) await close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

main().then(
  (code) => process.exit(code),
  (fault: unknown) => {
    process.stderr.write(`The demo failed: ${fault instanceof Error ? fault.message : String(fault)}\n`);
    process.exit(1);
  },
);
