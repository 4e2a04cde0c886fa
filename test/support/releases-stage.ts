import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { AppProcess } from "../../bench/chaos/app-process.js";
import { createBrowser, installByBrowser } from "../../src/bin/oauth-browser.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { startSimulator } from "../../src/simulator/simulator.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { createEmptyDatabase } from "./database.js";
import { query } from "./sql.js";
import { addPlainPortal, freePort } from "./start-app.js";

/** A process of one release, which answers and works. */
export interface ReleaseProcess {
  readonly process: AppProcess;
  readonly url: string;
}

/** Simulated HubSpot, a database, and processes of two releases of the built app on it. */
export type ReleasesStage = Awaited<ReturnType<typeof setStage>>;

export async function setStage({ portals: portalCount, contacts }: { portals: number; contacts: number }) {
  const home = await mkdtemp(path.join(tmpdir(), "sequence-enroller-releases-"));
  const db = await createEmptyDatabase();
  const publicUrl = `http://localhost:${await freePort()}`;
  const secret = randomBytes(16).toString("hex");
  const simulator = await startSimulator({
    clientId: "client",
    clientSecrets: [secret],
    appId: "170",
    redirectUris: [`${publicUrl}/oauth/callback`],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: OPTIONAL_SCOPES,
    latencyMs: [50, 150],
  });
  const environment = {
    NODE_ENV: "development",
    PUBLIC_URL: publicUrl,
    DATABASE_URL: db.url,
    DATA_DIR: path.join(home, "data"),
    HUBSPOT_CLIENT_ID: "client",
    HUBSPOT_CLIENT_SECRET: secret,
    HUBSPOT_APP_ID: "170",
    HUBSPOT_API_URL: simulator.url,
    HUBSPOT_APP_URL: simulator.url,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SESSION_SECRET: randomBytes(32).toString("base64"),
  };
  const portals = Array.from({ length: portalCount }, () => addPlainPortal(simulator, { contacts }));
  const processes: ReleaseProcess[] = [];

  return {
    db,
    portals,
    /** A process of the release in `folder`, not started yet. */
    async make(name: string, folder: string): Promise<ReleaseProcess> {
      const port = processes.length === 0 ? Number(new URL(publicUrl).port) : await freePort();
      const made = {
        url: `http://localhost:${port}`,
        process: new AppProcess({
          name,
          role: "all",
          folder,
          program: path.join(folder, "dist/main.js"),
          environment: { ...environment, PORT: String(port) },
          logFile: path.join(home, `${name}.log`),
        }),
      };
      processes.push(made);
      return made;
    },
    /** Installs every portal, at the process that was made first. */
    async install(): Promise<void> {
      for (const portal of portals) {
        const admin = { portalId: portal.portalId, userId: portal.admin.userId };
        const consent = (url: string): string => simulator.authorize(url, admin);
        await installByBrowser({ publicUrl, browser: createBrowser(), consent });
      }
    },
    /** Sends contacts of every portal to one process: those whose place in their portal `isMine`. */
    send(to: ReleaseProcess, options: { isMine: (place: number) => boolean; ratePerSecond: number }) {
      const runs = portals.map((portal) => runAt(portal, { to, publicUrl, ...options }));
      const statuses = () =>
        runs.flatMap(({ executions }) =>
          executions.flatMap(({ attempts }) => attempts.map(({ status }) => status)),
        );
      return { finished: Promise.all(runs.map(({ finished }) => finished)), statuses };
    },
    enrolled: () => portals.reduce((sum, { enrollments }) => sum + enrollments.total, 0),
    async untilEnrolled(count: number): Promise<void> {
      await simulator.waitFor(() => this.enrolled() >= count, { timeoutMs: 90_000 });
    },
    /** Contacts that HubSpot did not enroll exactly once, or whose workflow was not told. */
    notOnce: () =>
      portals.flatMap((portal) =>
        [...portal.contacts.keys()].filter((id) => {
          const { accepted, whileActive } = portal.enrollments.factsOf(id);
          return accepted !== 1 || whileActive > 0;
        }),
      ),
    completed: () => portals.reduce((sum, { callbacks }) => sum + callbacks.acceptedCount, 0),
    async migrations(): Promise<string[]> {
      const rows = await query(db.url, "SELECT migration_name AS name FROM _prisma_migrations ORDER BY name");
      return rows.map((row) => String(row["name"]));
    },
    async close(): Promise<void> {
      for (const { process } of processes) await process.close({ graceMs: 0 });
      await simulator.close();
      await db.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Writes that HubSpot was asked for by this process: enrollments and completions. */
export async function writesOf({ url }: ReleaseProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(/^sequence_enroller_hubspot_requests_total\{([^}]*)\} (\d+)$/gm);
  return [...lines]
    .filter(([, labels = ""]) => labels.includes('method="POST"'))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}

function runAt(
  portal: SimulatedPortal,
  at: {
    to: ReleaseProcess;
    publicUrl: string;
    isMine: (place: number) => boolean;
    ratePerSecond: number;
  },
) {
  return portal.runAction({
    actionUrl: at.to.url + ENROLL_ROUTE,
    publicUrl: at.publicUrl,
    contactIds: [...portal.contacts.keys()].filter((_, place) => at.isMine(place)),
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
    duplicateProbability: 0.05,
    ratePerSecond: at.ratePerSecond,
  });
}
