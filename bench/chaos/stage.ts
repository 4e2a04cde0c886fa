import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createBrowser, installByBrowser } from "../../src/bin/oauth-browser.js";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import type { SimulatorOptions } from "../../src/simulator/world/options.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.js";
import { AppProcess } from "./app-process.js";
import { HostileProxy } from "./hostile-proxy.js";
import { startDatabaseServer, type DatabaseServer } from "./database-server.js";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLIENT_ID = "chaos-client";
const APP_ID = "170";
/** SIGTERM to SIGKILL at the end of a run; the app's own promise is 20 s. */
const CLOSE_GRACE_MS = 22_000;

export interface StageOptions {
  readonly webs: number;
  readonly workers: number;
  /** Further workers that are made and not started. */
  readonly spareWorkers?: number;
  readonly rateLimit: number;
  readonly simulator?: Partial<SimulatorOptions>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether each process reaches the database by a {@link HostileProxy} of its own. */
  readonly hasHostileNetwork?: boolean;
  /** See {@link AppProcess}; undefined leaves killed processes dead. */
  readonly restartAfterMs?: () => number;
}

/** Simulated HubSpot, PostgreSQL, and the built app as separate processes. */
export interface Stage {
  readonly simulator: Simulator;
  readonly database: DatabaseServer;
  readonly webs: readonly AppProcess[];
  readonly workers: readonly AppProcess[];
  readonly spareWorkers: readonly AppProcess[];
  /** The way of each process to the database; empty without a hostile network. */
  readonly connections: ReadonlyMap<AppProcess, HostileProxy>;
  /** Where HubSpot believes the app to be: the first web process, or a free port if there is none. */
  readonly publicUrl: string;
  /** The enroll action at each web process. */
  readonly actionUrls: readonly string[];
  /** Folder with the log of each process, `<name>.log`. */
  readonly logDir: string;
  /** What the app's processes are started with, but for ROLE and PORT: holds secrets. */
  readonly environment: Readonly<Record<string, string>>;
  install(portal: SimulatedPortal): Promise<void>;
  /** SIGKILL to whatever still runs, without waiting: for the moment in which this process itself ends. */
  killNow(): void;
  /** Ends everything that was started, by pid. May be called twice. */
  close(options?: { graceMs?: number; keepLogs?: boolean }): Promise<void>;
}

/** Brings `dist/` up to date. @throws Error with the compiler's output. */
export function ensureBuilt(): void {
  const { status, stderr } = spawnSync(
    process.execPath,
    [path.join(ROOT, "scripts/prepare.mjs"), "--build"],
    { cwd: ROOT, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the app could not be built:\n${stderr}`);
}

/** A folder that goes at the end; open to the account PostgreSQL runs under where we are root. */
export function makeFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "sequence-enroller-chaos-"));
  chmodSync(folder, 0o755);
  return folder;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}

/** Closes last in, first out, past failures, once. */
class Closers {
  readonly #closers: (() => Promise<unknown>)[] = [];

  add(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async run(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close().catch(() => undefined);
  }
}

function environmentFor(settings: {
  publicUrl: string;
  secret: string;
  simulatorUrl: string;
  databaseUrl: string;
  folder: string;
  rateLimit: number;
}): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "development",
    PUBLIC_URL: settings.publicUrl,
    DATABASE_URL: settings.databaseUrl,
    DATA_DIR: path.join(settings.folder, "app"),
    HUBSPOT_CLIENT_ID: CLIENT_ID,
    HUBSPOT_CLIENT_SECRET: settings.secret,
    HUBSPOT_APP_ID: APP_ID,
    HUBSPOT_API_URL: settings.simulatorUrl,
    HUBSPOT_APP_URL: settings.simulatorUrl,
    HUBSPOT_RATE_LIMIT: String(settings.rateLimit),
    ENCRYPTION_KEYS: `chaos:${randomBytes(32).toString("base64")}`,
    SESSION_SECRET: randomBytes(32).toString("base64url"),
    LOG_LEVEL: "info",
  };
}

function startHubSpot(options: StageOptions, { publicUrl, secret }: { publicUrl: string; secret: string }) {
  return startSimulator({
    clientId: CLIENT_ID,
    clientSecrets: [secret],
    appId: APP_ID,
    redirectUris: [`${publicUrl}/oauth/callback`],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: OPTIONAL_SCOPES,
    rateLimit: { requests: options.rateLimit, windowMs: 10_000 },
    ...options.simulator,
  });
}

/** A process that is not started yet, with its own way to the database where the network is hostile. */
async function makeProcess(
  { hasHostileNetwork, restartAfterMs }: StageOptions,
  one: {
    name: string;
    role: "web" | "worker";
    environment: Readonly<Record<string, string>>;
    logDir: string;
    connections: Map<AppProcess, HostileProxy>;
  },
): Promise<AppProcess> {
  const { name, role, environment, logDir, connections } = one;
  const proxy =
    hasHostileNetwork === true ? await HostileProxy.start(environment["DATABASE_URL"] ?? "") : undefined;
  const app = new AppProcess({
    name,
    role,
    environment: proxy === undefined ? environment : { ...environment, DATABASE_URL: proxy.url },
    logFile: path.join(logDir, `${name}.log`),
    ...(restartAfterMs === undefined ? {} : { restartAfterMs }),
  });
  if (proxy !== undefined) connections.set(app, proxy);
  return app;
}

/** Sets the stage and waits until every process listens. Whatever fails, nothing is left running. */
export async function startStage(options: StageOptions): Promise<Stage> {
  const folder = makeFolder();
  const logDir = path.join(folder, "logs");
  mkdirSync(logDir);
  const closers = new Closers();
  try {
    // One at least: a stage without web processes still tells HubSpot where the app will be.
    const ports = await Promise.all(Array.from({ length: Math.max(1, options.webs) }, freePort));
    const publicUrl = `http://127.0.0.1:${ports[0]}`;
    const secret = randomBytes(16).toString("hex");
    const simulator = await startHubSpot(options, { publicUrl, secret });
    closers.add(() => simulator.close());
    const database = await startDatabaseServer(folder);
    closers.add(() => database.stop());
    const urls = { simulatorUrl: simulator.url, databaseUrl: database.url };
    const environment = {
      ...environmentFor({ publicUrl, secret, folder, rateLimit: options.rateLimit, ...urls }),
      ...options.environment,
    };
    const connections = new Map<AppProcess, HostileProxy>();
    closers.add(() => Promise.all([...connections.values()].map((proxy) => proxy.close())));
    const make = (role: "web" | "worker", index: number): Promise<AppProcess> =>
      makeProcess(options, {
        name: `${role}-${index + 1}`,
        role,
        environment: { ...environment, PORT: role === "web" ? String(ports[index]) : "0" },
        logDir,
        connections,
      });
    const webs = await Promise.all(ports.slice(0, options.webs).map((_, index) => make("web", index)));
    const crewSize = options.workers + (options.spareWorkers ?? 0);
    const crew = await Promise.all(Array.from({ length: crewSize }, (_, index) => make("worker", index)));
    const [workers, spareWorkers] = [crew.slice(0, options.workers), crew.slice(options.workers)];
    let graceMs = CLOSE_GRACE_MS;
    closers.add(() => Promise.all([...webs, ...crew].map((app) => app.close({ graceMs }))));
    await Promise.all([...webs, ...workers].map((app) => app.start()));
    return {
      simulator,
      database,
      webs,
      workers,
      spareWorkers,
      connections,
      publicUrl,
      logDir,
      environment,
      actionUrls: ports.map((port) => `http://127.0.0.1:${port}${ENROLL_ROUTE}`),
      async install(portal) {
        const admin = { portalId: portal.portalId, userId: portal.admin.userId };
        const consent = (url: string): string => simulator.authorize(url, admin);
        await installByBrowser({ publicUrl, browser: createBrowser(), consent });
      },
      killNow() {
        for (const app of [...webs, ...crew]) app.signal("SIGKILL");
        database.killNow();
      },
      async close(end = {}) {
        graceMs = end.graceMs ?? CLOSE_GRACE_MS;
        await closers.run();
        if (end.keepLogs !== true) rmSync(folder, { recursive: true, force: true });
        else rmSync(path.join(folder, "postgres"), { recursive: true, force: true });
      },
    };
  } catch (error) {
    await closers.run();
    throw error;
  }
}
