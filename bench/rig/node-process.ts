import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

const START_TIMEOUT_MS = 60_000;

export interface NodeProcessOptions {
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
  /** Flags of Node itself, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** A line of standard output that says it is ready; its first group, if any, is handed to the caller. */
  readonly ready: RegExp;
}

/** A Node process that was started, said it is ready, and is ended by its pid. */
export interface NodeProcess {
  readonly pid: number;
  readonly name: string;
  /** What the group of `ready` caught. */
  readonly said: string;
  /** Resident memory in MiB; NaN where the system does not tell. */
  memoryMb(): Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL after `graceMs`; resolves once it is gone. May be called twice. */
  close(graceMs?: number): Promise<void>;
}

/** Starts a process in a group of its own. @throws Error where it ends or stays silent before it is ready. */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const child = spawn(
    process.execPath,
    [...(options.nodeArgs ?? []), options.script, ...(options.args ?? [])],
    { env: { ...options.environment }, stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      resolve();
    });
    child.once("error", () => {
      resolve();
    });
  });
  const killed = (): void => void child.kill("SIGKILL");
  process.once("exit", killed);
  void ended.then(() => process.off("exit", killed));
  try {
    const said = await readyLine(child, options, ended);
    return handle(child, { name: options.name, said, ended });
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function readyLine(
  child: ChildProcess,
  { name, logFile, ready }: NodeProcessOptions,
  ended: Promise<void>,
): Promise<string> {
  const log = createWriteStream(logFile, { flags: "a" });
  void ended.then(() => log.end());
  child.stderr?.on("data", (chunk: Buffer) => log.write(chunk));
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      if (child.stdout !== null) {
        createInterface({ input: child.stdout }).on("line", (line) => {
          log.write(`${line}\n`);
          const match = ready.exec(line);
          if (match !== null) resolve(match[1] ?? "");
        });
      }
      void ended.then(() => {
        reject(new Error(`${name} ended before it was ready: ${logFile}`));
      });
      timer = setTimeout(() => {
        reject(new Error(`${name} was not ready within ${START_TIMEOUT_MS / 1_000} s: ${logFile}`));
      }, START_TIMEOUT_MS);
    });
  } finally {
    clearTimeout(timer);
  }
}

function handle(
  child: ChildProcess,
  { name, said, ended }: { name: string; said: string; ended: Promise<void> },
): NodeProcess {
  const pid = child.pid as number;
  return {
    pid,
    name,
    said,
    memoryMb: () => memoryOf(pid),
    kill: (signal) => void child.kill(signal),
    async close(graceMs = 22_000) {
      if (child.exitCode !== null || child.signalCode !== null) return ended;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
