import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import type { SimulatorOptions } from "../../src/simulator/world/options.js";
import type { BenchOptions } from "../options.js";
import { startDatabaseServer } from "../chaos/database-server.js";
import { freePort, makeFolder } from "../chaos/stage.js";
import type { Halts } from "./halts.js";
import { startNodeProcess, type NodeProcess } from "./node-process.js";
import { createSimulatorClient, type SimulatorClient } from "./simulator-client.js";
import { startFlags } from "./start-flags.js";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const HALT_WATCH = new URL("./halt-watch.mjs", import.meta.url).href;
const CLIENT_ID = "bench-client";
const APP_ID = "170";

export interface RigOptions {
  /** Requests per 10 s and portal, of the app and of the simulated HubSpot alike. */
  readonly rateLimit?: number;
  readonly latencyMs?: number;
  /** Folder for CPU profiles of the app's processes; undefined takes none. */
  readonly profileDir?: string | undefined;
  /** Where the longest halts of the app's processes are noted as they end. */
  readonly halts?: Halts;
}

/** What is asked of every part alike. */
export function processOptions({
  profileDir,
  halts,
}: Pick<BenchOptions, "profileDir" | "halts">): Pick<RigOptions, "profileDir" | "halts"> {
  return { profileDir, halts };
}

export interface App extends NodeProcess {
  readonly url: string;
}

/** PostgreSQL, a simulated HubSpot and whatever app processes a measurement asks for; all on this machine's loopback. */
export interface Rig {
  readonly folder: string;
  readonly secret: string;
  /** What HubSpot believes our origin to be; every web process is started with it. */
  readonly publicUrl: string;
  readonly simulator: SimulatorClient;
  /** A connection pool of the measurement's own. */
  readonly pool: pg.Pool;
  readonly databaseUrl: string;
  /** What the app's processes are started with, but for ROLE and PORT: holds secrets. */
  readonly environment: Readonly<Record<string, string>>;
  startApp(options: {
    role: "all" | "web" | "worker";
    name?: string;
    environment?: Readonly<Record<string, string>>;
    /** Runs through tsx instead of the app's own main, and says the same once it listens. */
    script?: URL;
  }): Promise<App>;
  /** Another of our scripts, run through tsx. */
  startScript(options: {
    name: string;
    script: URL;
    args?: readonly string[];
    ready: RegExp;
  }): Promise<NodeProcess>;
  /** Ends one process. */
  stop(started: NodeProcess): Promise<void>;
  /** Ends the app's processes; the database and the simulated HubSpot stay. */
  stopApps(): Promise<void>;
  /** Ends everything that was started. */
  close(): Promise<void>;
}

function environmentOf(options: {
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
    PUBLIC_URL: options.publicUrl,
    DATABASE_URL: options.databaseUrl,
    DATA_DIR: path.join(options.folder, "app"),
    HUBSPOT_CLIENT_ID: CLIENT_ID,
    HUBSPOT_CLIENT_SECRET: options.secret,
    HUBSPOT_APP_ID: APP_ID,
    HUBSPOT_API_URL: options.simulatorUrl,
    HUBSPOT_APP_URL: options.simulatorUrl,
    HUBSPOT_RATE_LIMIT: String(options.rateLimit),
    ENCRYPTION_KEYS: `bench:${randomBytes(32).toString("base64")}`,
    SESSION_SECRET: randomBytes(32).toString("base64url"),
    LOG_LEVEL: "info",
  };
}

function simulatorOptions(options: RigOptions, { secret, publicUrl }: { secret: string; publicUrl: string }) {
  return {
    clientId: CLIENT_ID,
    clientSecrets: [secret],
    appId: APP_ID,
    redirectUris: [`${publicUrl}/oauth/callback`],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: OPTIONAL_SCOPES,
    rateLimit: { requests: options.rateLimit ?? 110, windowMs: 10_000 },
    latencyMs: options.latencyMs ?? 0,
    accessTokenSeconds: 21_600,
    enrollmentsPerInboxAndDay: 10_000_000,
    // Backlogs are written straight into the database: HubSpot has never heard of their callbacks.
    openQuestions: { unknownCallback: 204 },
  } satisfies SimulatorOptions;
}

/** Sets up a rig. Whatever fails, nothing is left running. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const folder = makeFolder();
  const logs = path.join(folder, "logs");
  mkdirSync(logs);
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  };
  const startScript: Rig["startScript"] = async ({ name, script, args = [], ready }) => {
    const started = await startNodeProcess({
      name,
      script: fileURLToPath(script),
      args,
      nodeArgs: ["--import", "tsx"],
      environment: { PATH: process.env["PATH"] ?? "" },
      logFile: path.join(logs, `${name}.log`),
      ready,
    });
    closers.push(() => started.close());
    return started;
  };
  try {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    const secret = randomBytes(16).toString("hex");
    const database = await startDatabaseServer(folder);
    closers.push(() => database.stop());
    const quit = (): void => {
      database.killNow();
    };
    process.once("exit", quit);
    closers.push(() => Promise.resolve(process.off("exit", quit)));
    const simulator = await startScript({
      name: "simulator",
      script: new URL("./simulator-process.ts", import.meta.url),
      args: [JSON.stringify(simulatorOptions(options, { secret, publicUrl }))],
      ready: /^simulator (\S+)$/,
    });
    const environment = environmentOf({
      publicUrl,
      secret,
      folder,
      databaseUrl: database.url,
      simulatorUrl: simulator.said,
      rateLimit: options.rateLimit ?? 110,
    });
    const pool = new pg.Pool({ connectionString: database.url, max: 4 });
    pool.on("error", () => undefined);
    closers.push(() => pool.end());
    const apps: NodeProcess[] = [];
    let isFirstTaken = false;
    let appCount = 0;
    return {
      folder,
      secret,
      publicUrl,
      pool,
      environment,
      startScript,
      close,
      databaseUrl: database.url,
      simulator: createSimulatorClient(simulator.said),
      async startApp({ role, name = role, environment: extra = {}, script }) {
        // The first web process answers at the public URL, where an OAuth round trip ends.
        const isFirst = role !== "worker" && !isFirstTaken;
        if (isFirst) isFirstTaken = true;
        const { profileDir } = options;
        appCount += 1;
        const haltsFile = path.join(folder, `halts-${appCount}`);
        const started = await startNodeProcess({
          name,
          script: script === undefined ? MAIN : fileURLToPath(script),
          nodeArgs: [
            ...startFlags(),
            ...["--import", HALT_WATCH, ...(script === undefined ? [] : ["--import", "tsx"])],
            ...(profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`]),
          ],
          environment: {
            ...environment,
            ...extra,
            ROLE: role,
            PORT: isFirst ? String(port) : "0",
            BENCH_HALTS_FILE: haltsFile,
          },
          logFile: path.join(logs, `${name}.log`),
          ready: /"port":(\d+).*Sequence Enroller is listening/,
        });
        started.kill("SIGUSR2");
        const app = {
          ...started,
          url: `http://127.0.0.1:${started.said}`,
          async close(graceMs?: number) {
            await started.close(graceMs);
            options.halts?.note(role, haltsFile);
          },
        };
        closers.push(() => app.close());
        apps.push(app);
        return app;
      },
      stop: (started) => started.close(),
      async stopApps() {
        await Promise.all(apps.splice(0).map((app) => app.close()));
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
