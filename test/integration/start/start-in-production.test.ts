import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

let clone: string;

beforeEach(async () => {
  clone = await mkdtemp(path.join(tmpdir(), "sequence-enroller-clone-"));
  for (const file of ["package.json", "package-lock.json", "tsconfig.json", "prisma/schema.prisma"]) {
    await cp(path.join(ROOT, file), path.join(clone, file));
  }
  await cp(path.join(ROOT, "scripts"), path.join(clone, "scripts"), { recursive: true });
});

afterEach(() => rm(clone, { recursive: true }));

function start(): { status: number | null; said: string } {
  const { status, stderr, stdout } = spawnSync(process.execPath, ["scripts/start.mjs", "main.js"], {
    cwd: clone,
    // An npm that would leave a trace, if it were called.
    env: {
      PATH: path.join(clone, "no-programs"),
      NODE_ENV: "production",
      npm_execpath: path.join(clone, "npm-cli.js"),
    },
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status, said: stdout + stderr };
}

async function watchNpm(): Promise<() => Promise<boolean>> {
  await writeFile(
    path.join(clone, "npm-cli.js"),
    `import { writeFileSync } from "node:fs"; writeFileSync("npm-was-called", "");`,
  );
  return async () => (await readdir(clone)).includes("npm-was-called");
}

test("with NODE_ENV=production a start installs nothing, says what to run, and fails", async () => {
  const wasCalled = await watchNpm();
  const { status, said } = start();
  expect(status).toBe(1);
  expect(said).toMatch(/nothing is installed with NODE_ENV=production.*npm ci.*npm run build/s);
  expect(await wasCalled()).toBe(false);
});

test("nor does it bring a package up to date that is older than the lock file says", async () => {
  const lock = JSON.parse(await readFile(path.join(clone, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string }>;
  };
  const express = lock.packages["node_modules/express"];
  if (express !== undefined) express.version = "4.0.0";
  await mkdir(path.join(clone, "node_modules"));
  await writeFile(path.join(clone, "node_modules/.package-lock.json"), JSON.stringify(lock));
  const wasCalled = await watchNpm();
  const { status, said } = start();
  expect(status).toBe(1);
  expect(said).toMatch(/express is 4\.0\.0/);
  expect(await wasCalled()).toBe(false);
});
