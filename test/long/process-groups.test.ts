import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { access, chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/start-app.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let folder: string;
let npm: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-groups-"));
  await chmod(folder, 0o755);
});

afterEach(async () => {
  try {
    // What is left of its group, should the test have failed. The database's server is no part of it.
    if (npm?.pid !== undefined) process.kill(-npm.pid, "SIGKILL");
  } catch {
    // Gone, as it should be.
  }
  await rm(folder, { recursive: true, force: true });
});

/** Ctrl-C in a terminal, and most supervisors: the whole group gets the signal, and npm passes it on once more. */
function signalGroup(signal: NodeJS.Signals): void {
  process.kill(-(npm?.pid ?? Number.NaN), signal);
}

interface Started {
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function startNpm(args: readonly string[], environment: Record<string, string>): Started {
  npm = spawn("npm", [...args, "--silent"], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) stream?.on("data", (text) => (output += String(text)));
  const ended = new Promise<number | null>((resolve) => npm?.once("close", resolve));
  return { output: () => output, ended };
}

async function until(holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const endsAt = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("the awaited state did not come");
    await sleep(20);
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

describe.each(["SIGINT", "SIGTERM"] as const)("%s to the process group of npm start", (signal) => {
  const dataDir = () => path.join(folder, "data");
  const serverFile = () => path.join(dataDir(), "postgres", "postmaster.pid");

  const start = async (): Promise<Started> =>
    startNpm(["start"], {
      PORT: String(await freePort()),
      DATA_DIR: dataDir(),
      SESSION_SECRET: "a-secret-of-the-tests",
      HUBSPOT_CLIENT_ID: "client",
      HUBSPOT_CLIENT_SECRET: "secret",
      HUBSPOT_APP_ID: "170",
    });

  test("is one request to stop, and ends app and database in order", async () => {
    const { output, ended } = await start();
    await until(() => output().includes("is listening"));
    expect(await exists(serverFile())).toBe(true);
    signalGroup(signal);
    await ended;
    expect(output()).toContain("stopping");
    expect(output()).not.toMatch(/"level":"(error|fatal)"/);
    expect(await exists(serverFile())).toBe(false);
  });

  test("while it starts leaves no database running", async () => {
    const { output, ended } = await start();
    await until(() => exists(serverFile()));
    signalGroup(signal);
    await ended;
    expect(output()).not.toContain("is listening");
    expect(await exists(serverFile())).toBe(false);
  });
});

describe("Ctrl-C in the demo", () => {
  const demoFolders = async () => (await readdir(folder)).filter((name) => name.includes("-demo-"));
  const startDemo = () => startNpm(["run", "demo"], { TMPDIR: folder });

  test("while the database starts leaves neither server nor folder", async () => {
    const { ended } = startDemo();
    const serverFile = async () =>
      path.join(folder, (await demoFolders())[0] ?? "", "postgres", "postmaster.pid");
    await until(async () => exists(await serverFile()));
    signalGroup("SIGINT");
    await ended;
    expect(await demoFolders()).toEqual([]);
  });

  test("while contacts are enrolled leaves neither server nor folder", async () => {
    const { output, ended } = startDemo();
    await until(() => output().includes("contacts decided"));
    signalGroup("SIGINT");
    await ended;
    expect(await demoFolders()).toEqual([]);
  });
});
