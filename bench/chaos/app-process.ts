import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startFlags } from "../rig/start-flags.js";

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const LISTENING = "Sequence Enroller is listening";
/** A start that takes longer than this is a failure, not a wait: migrations and a recovering database included. */
export const START_TIMEOUT_MS = 30_000;
/** What hits a process while it starts ends it: it is started again after a pause, for this long in total. */
const RELEASE = { againMs: 500, withinMs: 4 * START_TIMEOUT_MS };

export interface AppProcessOptions {
  readonly name: string;
  readonly role: "web" | "worker" | "all";
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** What Node runs; the built app where it is left out. */
  readonly program?: string;
  /** Its arguments. */
  readonly args?: readonly string[];
  /** The Node that runs it; this process's own where it is left out. */
  readonly node?: string;
  /** The folder it is started in; this process's own where it is left out. */
  readonly folder?: string;
  /** The account it runs as; this process's own where it is left out. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  /** Brings the process back this long after it ended, as an init system would; undefined leaves it dead. */
  readonly restartAfterMs?: () => number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It had said that it listens. */
  readonly wasReady: boolean;
  /** We had sent it a signal that ends it. */
  readonly wasAsked: boolean;
}

interface Life {
  readonly child: ChildProcess;
  readonly startedAtMs: number;
  isReady: boolean;
  isPaused: boolean;
  wasAsked: boolean;
}

interface Running {
  readonly life: Life;
  readonly ended: Promise<Exit>;
  readonly ready: Promise<void>;
}

/** One process of the built app (`node dist/main.js`, with the flags of `npm start`), which can be killed, paused and brought back. */
export class AppProcess {
  readonly name: string;
  readonly role: AppProcessOptions["role"];
  /** How each of its lives ended, oldest first. */
  readonly exits: Exit[] = [];
  readonly #options: AppProcessOptions;
  readonly #log: WriteStream;
  #running: Running | undefined;
  #restart: NodeJS.Timeout | undefined;
  #isHeld = false;
  #isClosed = false;

  constructor(options: AppProcessOptions) {
    this.name = options.name;
    this.role = options.role;
    this.#options = options;
    this.#log = createWriteStream(options.logFile, { flags: "a" });
  }

  get pid(): number | undefined {
    return this.#running?.life.child.pid;
  }

  /** It runs, has said that it listens, and is not paused. */
  get isUp(): boolean {
    const life = this.#running?.life;
    return life?.isReady === true && !life.isPaused;
  }

  /** How long it has been starting; 0 where it listens, or does not run. */
  get startingForMs(): number {
    const life = this.#running?.life;
    return life === undefined || life.isReady ? 0 : performance.now() - life.startedAtMs;
  }

  /** Starts it where it is not running; resolves once it listens. @throws Error where it ends or hangs before that. */
  async start(): Promise<void> {
    this.#running ??= this.#spawn();
    const { ready, ended } = this.#running;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${this.name} did not listen within ${START_TIMEOUT_MS / 1_000} s`));
      }, START_TIMEOUT_MS);
    });
    const gone = ended.then(({ code, signal }) => {
      throw new Error(`${this.name} ended before it listened (${signal ?? code}): ${this.#options.logFile}`);
    });
    gone.catch(() => undefined);
    try {
      await Promise.race([ready, tooLate, gone]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal; false if nothing runs. */
  signal(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): boolean {
    const life = this.#running?.life;
    if (life === undefined) return false;
    life.wasAsked = true;
    // A paused process takes SIGTERM only once it goes on.
    if (signal !== "SIGKILL") this.resume();
    return life.child.kill(signal);
  }

  /** SIGSTOP: it neither works nor renews its leases. */
  pause(): boolean {
    const life = this.#running?.life;
    if (life === undefined || life.isPaused) return false;
    life.isPaused = life.child.kill("SIGSTOP");
    return life.isPaused;
  }

  resume(): void {
    const life = this.#running?.life;
    if (life?.isPaused !== true) return;
    life.isPaused = false;
    life.child.kill("SIGCONT");
  }

  /** Kills it, and keeps it from coming back by itself; resolves once it is gone. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    clearTimeout(this.#restart);
    const ended = this.ended();
    this.signal("SIGKILL");
    await ended;
  }

  /**
   * Starts it again after {@link hold}; resolves once it listens. What hits it while it starts ends it, and it is started
   * again, as an init system would.
   *
   * @throws Error if it does not listen within RELEASE.withinMs.
   */
  async release(): Promise<void> {
    this.#isHeld = false;
    const startedAtMs = performance.now();
    for (;;) {
      try {
        return await this.start();
      } catch (error) {
        if (performance.now() - startedAtMs > RELEASE.withinMs) throw error;
      }
      await sleep(RELEASE.againMs);
    }
  }

  /** How this life ends; undefined if nothing runs. */
  ended(): Promise<Exit> | undefined {
    return this.#running?.ended;
  }

  /** Ends it for good: SIGTERM, and SIGKILL after `graceMs`. */
  async close({ graceMs }: { graceMs: number }): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    const running = this.#running;
    if (running !== undefined) {
      this.signal(graceMs > 0 ? "SIGTERM" : "SIGKILL");
      const timer = setTimeout(() => running.life.child.kill("SIGKILL"), graceMs);
      await running.ended;
      clearTimeout(timer);
    }
    await new Promise<void>((resolve) => {
      this.#log.end(resolve);
    });
  }

  #spawn(): Running {
    const { node = process.execPath, program = MAIN, args = [], folder, account } = this.#options;
    const child = spawn(node, [...startFlags(), program, ...args], {
      env: { ...this.#options.environment, ROLE: this.role },
      cwd: folder,
      ...account,
      stdio: ["ignore", "pipe", "pipe"],
      // In a group of its own: Ctrl-C in a terminal reaches the harness alone, which then ends what it started.
      detached: true,
    });
    const life: Life = {
      child,
      startedAtMs: performance.now(),
      isReady: false,
      isPaused: false,
      wasAsked: false,
    };
    child.stderr.on("data", (chunk: Buffer) => this.#log.write(chunk));
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        this.#log.write(`${line}\n`);
        if (!line.includes(LISTENING)) return;
        life.isReady = true;
        resolve();
      });
    });
    return { life, ready, ended: this.#watchForEnd(life) };
  }

  async #watchForEnd(life: Life): Promise<Exit> {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      life.child.once("error", () => {
        resolve([null, null]);
      });
      life.child.once("close", (...how) => {
        resolve(how);
      });
    });
    const exit = { code, signal, wasReady: life.isReady, wasAsked: life.wasAsked };
    this.#running = undefined;
    this.exits.push(exit);
    const { restartAfterMs } = this.#options;
    if (restartAfterMs !== undefined && !this.#isHeld && !this.#isClosed) {
      this.#restart = setTimeout(() => {
        this.#running ??= this.#spawn();
      }, restartAfterMs());
    }
    return exit;
  }
}
