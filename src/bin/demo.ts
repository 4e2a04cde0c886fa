import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { startApp, type App } from "../app.js";
import { readConfig } from "../config.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "../executions/enroll-contract.js";
import { REQUIRED_SCOPES, OPTIONAL_SCOPES } from "../hubspot/scopes.js";
import { createLogger } from "../observability/logger.js";
import type { SimulatedPortal } from "../simulator/portal/portal.js";
import { startSimulator, type Simulator } from "../simulator/simulator.js";
import type { WorkflowRun } from "../simulator/workflow/run.js";
import { createBrowser, installByBrowser } from "./browser-trip.js";
import { isFaultless, RATE_LIMIT, readFigures, renderFigures } from "./demo-report.js";

const CLIENT_ID = "demo-client";
const APP_ID = "1";
const PREFERRED_PORT = 3000;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** 3000 where it is free, so that the address looks like the README's; any other port where it is not. */
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

/** Reps whose inbox is their sign-in address, and two who cannot send; see the table at the end for what that does. */
function seedPortal(simulator: Simulator): SimulatedPortal {
  const portal = simulator.addPortal({
    name: "Acme Example",
    timeZone: "America/New_York",
    contacts: 0,
  });
  for (const user of portal.users.values()) user.inboxAddress = user.email;
  for (let count = 0; count < 230; count += 1) portal.addContact();
  for (let count = 0; count < 6; count += 1) portal.addTroubledContact("no-owner");
  for (let count = 0; count < 3; count += 1) portal.addTroubledContact("archived-owner");
  for (let count = 0; count < 3; count += 1) portal.addTroubledContact("no-email");
  for (let count = 0; count < 3; count += 1) portal.addTroubledContact("owner-without-inbox");
  for (let count = 0; count < 2; count += 1) portal.addTroubledContact("owner-without-permission");
  for (let count = 0; count < 4; count += 1) portal.addTroubledContact("unsubscribed");
  for (let count = 0; count < 2; count += 1) portal.addTroubledContact("bounced");
  for (let count = 0; count < 5; count += 1) portal.addTroubledContact("already-enrolled");
  return portal;
}

async function startDemoApp(options: {
  simulatorUrl: string;
  port: number;
  secret: string;
  dataDir: string;
}): Promise<App> {
  const config = readConfig({
    PORT: String(options.port),
    DATA_DIR: options.dataDir,
    HUBSPOT_CLIENT_ID: CLIENT_ID,
    HUBSPOT_CLIENT_SECRET: options.secret,
    HUBSPOT_APP_ID: APP_ID,
    HUBSPOT_API_URL: options.simulatorUrl,
    HUBSPOT_APP_URL: options.simulatorUrl,
    LOG_LEVEL: process.env["LOG_LEVEL"] ?? "warn",
  });
  return startApp(config, createLogger({ level: config.logLevel }));
}

/** One line that is written over on a terminal, and a line every two seconds elsewhere. */
function showProgress(run: WorkflowRun, portal: SimulatedPortal): () => void {
  const isTerminal = process.stdout.isTTY;
  const startedAtMs = performance.now();
  const draw = (): void => {
    const { total, entered, completed, failed } = run.counts();
    const done = completed + failed;
    const filled = Math.round((30 * done) / total);
    const bar = `${"█".repeat(filled)}${"░".repeat(30 - filled)}`;
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
    const enrolled = portal.enrollments.total;
    const line = `  ${bar} ${done}/${total} done · ${entered} received · ${enrolled} in a sequence · ${seconds} s`;
    process.stdout.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
  };
  draw();
  const timer = setInterval(draw, isTerminal ? 200 : 2_000);
  return () => {
    clearInterval(timer);
    draw();
    if (isTerminal) process.stdout.write("\n");
  };
}

function runWorkflow(portal: SimulatedPortal, publicUrl: string): WorkflowRun {
  const sequence = [...portal.sequences.values()][0];
  if (sequence === undefined) throw new Error("the simulated portal has no sequence");
  const definition: unknown = JSON.parse(
    readFileSync(
      new URL("../../app-config/src/app/workflow-actions/enroll-hsmeta.json", import.meta.url),
      "utf8",
    ),
  );
  return portal.runAction({
    actionUrl: `${publicUrl}${ENROLL_ROUTE}`,
    contactIds: [...portal.contacts.keys()],
    inputs: { sequence_id: sequence.id, sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
    duplicateProbability: 0.05,
    definition: definition as NonNullable<Parameters<SimulatedPortal["runAction"]>[0]["definition"]>,
  });
}

function printReasons(run: WorkflowRun): void {
  const shown = new Set<string>();
  print("\n  What the workflow's history says, one contact of each kind:");
  for (const execution of run.executions) {
    const label = run.historyLabel(execution);
    const key = `${execution.outputs["enrollment_status"] ?? ""}${execution.outputs["error_code"] ?? ""}`;
    if (!shown.has(key)) print(`   · contact ${execution.contactId}: ${label}`);
    shown.add(key);
  }
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

interface Stage {
  readonly simulator: Simulator;
  readonly portal: SimulatedPortal;
  readonly publicUrl: string;
}

async function play({ simulator, portal, publicUrl }: Stage): Promise<boolean> {
  const admin = { portalId: portal.portalId, userId: portal.admin.userId };
  await installByBrowser({
    publicUrl,
    browser: createBrowser(),
    consent: (url) => simulator.authorize(url, admin),
  });
  print(`  Installed into the simulated account ${portal.portalId} by OAuth.`);
  const startedAtMs = performance.now();
  const run = runWorkflow(portal, publicUrl);
  print(
    `  A workflow sends ${portal.contacts.size} contacts through “Enroll in sequence” (5 % of the calls twice):`,
  );
  const stopProgress = showProgress(run, portal);
  const interrupted = waitForSignal().then(() => "interrupted" as const);
  const ended = await Promise.race([run.finished.then(() => "finished" as const), interrupted]);
  stopProgress();
  if (ended === "interrupted") return false;
  const seconds = (performance.now() - startedAtMs) / 1_000;
  const figures = readFigures(run, portal, { seconds, peakInWindow: simulator.peakOf(portal.portalId) });
  print(renderFigures(figures));
  printReasons(run);
  return isFaultless(figures);
}

async function main(): Promise<number> {
  const isOnce = process.argv.includes("--once");
  const port = await freePort(PREFERRED_PORT);
  const publicUrl = `http://localhost:${port}`;
  const secret = randomBytes(24).toString("base64url");
  const dataDir = mkdtempSync(path.join(tmpdir(), "sequence-enroller-demo-"));
  // As root the database runs under another account, which has to get in.
  chmodSync(dataDir, 0o755);
  const simulator = await startSimulator({
    clientId: CLIENT_ID,
    clientSecrets: [secret],
    appId: APP_ID,
    redirectUris: [`${publicUrl}/oauth/callback`],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: OPTIONAL_SCOPES,
    rateLimit: RATE_LIMIT,
    latencyMs: [30, 90],
  });
  let app: App | undefined;
  try {
    print("Sequence Enroller demo: the app, a simulated HubSpot and a database, all on this machine.");
    const portal = seedPortal(simulator);
    app = await startDemoApp({ simulatorUrl: simulator.url, port, secret, dataDir });
    const isGood = await play({ simulator, portal, publicUrl });
    if (!isOnce && isGood) {
      simulator.setAutoConsent({ portalId: portal.portalId, userId: portal.admin.userId });
      print(`\n  Settings page: ${publicUrl}/settings  (sign in with one click; Ctrl-C ends the demo)`);
      await waitForSignal();
    }
    return isGood ? 0 : 1;
  } finally {
    await app?.close({ graceMs: 2_000 });
    await simulator.close();
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
