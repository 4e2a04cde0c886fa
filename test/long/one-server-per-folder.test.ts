import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { query } from "../support/sql.js";

/** Process numbers and shared memory of its own, as a container has; it ends with all its processes when unshare does. */
const CONTAINER = ["unshare", "-pf", "--mount-proc", "--ipc", "--kill-child"];
const canUnshare = spawnSync("unshare", ["-pf", "--mount-proc", "--ipc", "true"]).status === 0;
const inContainers = canUnshare ? describe : describe.skip;
if (!canUnshare)
  console.warn("skipped: this account may not make namespaces (unshare), so no two containers met");

let folder: string;
let dataDir: string;
let copies: Copy[];

/** A copy of the app, as far as its database goes, in a container of its own. */
interface Copy {
  readonly process: ChildProcess;
  /** Its server's URL; undefined if it ended instead. */
  readonly url: Promise<string | undefined>;
  /** What it said on standard error until its end. */
  readonly said: Promise<string>;
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-containers-"));
  await chmod(folder, 0o755);
  dataDir = path.join(folder, "data");
  copies = [];
});

afterEach(async () => {
  for (const copy of copies) await end(copy, "SIGKILL");
  await rm(folder, { recursive: true });
});

function startCopy({ patienceMs }: { patienceMs: number }): Copy {
  const script = path.resolve("test/support/embedded-owner.ts");
  const command = [process.execPath, "--import", "tsx", script, dataDir, String(patienceMs)];
  const [program = "", ...args] = [...CONTAINER, ...command];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const line = once(createInterface(child.stdout), "line").then(([url]) => String(url));
  const url = Promise.race([line, once(child, "exit").then(() => undefined)]);
  const copy = { process: child, url, said: text(child.stderr) };
  copies.push(copy);
  return copy;
}

/** SIGKILL to unshare ends everything in it, as the end of a container does; SIGTERM goes to the app alone. */
async function end(copy: Copy, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  const { process: unshare } = copy;
  if (unshare.exitCode !== null || unshare.signalCode !== null) return;
  const ended = once(unshare, "exit");
  if (signal === "SIGKILL") unshare.kill("SIGKILL");
  else process.kill(await appOf(unshare), "SIGTERM");
  await ended;
}

async function appOf(unshare: ChildProcess): Promise<number> {
  const children = await readFile(`/proc/${unshare.pid}/task/${unshare.pid}/children`, "utf8");
  return Number(children.trim().split(" ")[0]);
}

/** Whether anybody listens at the server's port. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function startedFirst(): Promise<{ first: Copy; url: string }> {
  const first = startCopy({ patienceMs: 0 });
  const url = await first.url;
  if (url === undefined) throw new Error(`the first copy did not start: ${await first.said}`);
  await query(url, "CREATE TABLE kept AS SELECT 1 AS n");
  return { first, url };
}

inContainers("two containers on one DATA_DIR", () => {
  test("the second ends with a sentence that says what to do, and the first is not disturbed", async () => {
    const { url } = await startedFirst();
    const second = startCopy({ patienceMs: 1_000 });
    expect(await second.url).toBeUndefined();
    expect(await second.said).toMatch(/in use by another copy of the app.*"Recreate".*DATABASE_URL/s);
    await query(url, "INSERT INTO kept SELECT 2");
    expect(await query(url, "SELECT sum(n)::int AS sum FROM kept")).toEqual([{ sum: 3 }]);
  });

  test("a second that waits takes over when the first stops in order, with everything that was committed", async () => {
    const { first, url } = await startedFirst();
    const second = startCopy({ patienceMs: 20_000 });
    await query(url, "INSERT INTO kept SELECT generate_series(2, 500)");
    await end(first, "SIGTERM");
    const secondUrl = await second.url;
    expect(await query(String(secondUrl), "SELECT count(*)::int AS rows FROM kept")).toEqual([{ rows: 500 }]);
  });

  test("a first that is stopped but alive is not taken over", async () => {
    const { first, url } = await startedFirst();
    const app = await appOf(first.process);
    process.kill(app, "SIGSTOP");
    const second = startCopy({ patienceMs: 10_000 });
    expect(await second.url).toBeUndefined();
    process.kill(app, "SIGCONT");
    expect(await query(url, "SELECT n FROM kept")).toEqual([{ n: 1 }]);
  });

  test("what a crashed one left behind is taken over at once", async () => {
    const { first } = await startedFirst();
    await end(first, "SIGKILL");
    const second = startCopy({ patienceMs: 0 });
    expect(await query(String(await second.url), "SELECT n FROM kept")).toEqual([{ n: 1 }]);
  });
});

describe("a DATA_DIR on a drive whose locks do not reach other machines", () => {
  const owner = () => path.join(dataDir, "postgres.owner");
  const beatOf = (at: string) => JSON.stringify({ host: "other-machine", machine: "another boot", at });

  test("is not taken while another machine gives signs of life, and is after a silence", async () => {
    const { first } = await startedFirst();
    await end(first, "SIGTERM");
    let beats = 0;
    await writeFile(owner(), beatOf("0"));
    const beating = setInterval(() => void writeFile(owner(), beatOf(String((beats += 1)))), 500);
    const second = startCopy({ patienceMs: 3_000 });
    expect(await second.url).toBeUndefined();
    expect(await second.said).toContain("last seen on other-machine");
    clearInterval(beating);
    const third = startCopy({ patienceMs: 15_000 });
    expect(await query(String(await third.url), "SELECT n FROM kept")).toEqual([{ n: 1 }]);
  });

  test("is given up at once by a machine that finds another one there", async () => {
    const { url } = await startedFirst();
    await writeFile(owner(), beatOf("0"));
    const endsAt = Date.now() + 10_000;
    while ((await answers(url)) && Date.now() < endsAt) await sleep(100);
    expect(await answers(url)).toBe(false);
  });
});
