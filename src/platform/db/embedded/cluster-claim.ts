import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, rename, rm, writeFile, type FileHandle } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tryLock } from "./folder-lock.js";

/** How often a process that uses the embedded server writes its heartbeat. */
const BEAT_MS = 2_000;
/** A folder of another machine counts as abandoned after this time without a heartbeat. */
const SILENCE_MS = 4 * BEAT_MS;

/** The last heartbeat. `at` only has to change: machines' clocks differ. */
interface Beat {
  readonly host: string;
  readonly machine: string;
  readonly at: string;
}

/** Who else holds a database's files. */
export interface OtherUser {
  readonly host: string | undefined;
}

/**
 * The right to run a server on a folder of database files, which only one server may have. Process numbers cannot
 * decide it: in another container they mean other processes. On one machine the kernel's lock decides. A network drive
 * may not share its locks between machines, so there the processes that use the server also write heartbeats, and
 * another machine takes the files only after they have stopped for a while.
 */
export class ClusterClaim {
  readonly #lockFile: string;
  readonly #beatFile: string;
  readonly #silenceMs: number;
  readonly #beat = { host: hostname(), machine: identifyMachine() };

  /** @param options.silenceMs for tests. */
  constructor(home: string, { silenceMs = SILENCE_MS }: { silenceMs?: number } = {}) {
    this.#lockFile = path.join(home, "postgres.lock");
    this.#beatFile = path.join(home, "postgres.owner");
    this.#silenceMs = silenceMs;
  }

  /**
   * Takes the files, if nobody has them. If the last heartbeat is another machine's, waits for its silence.
   *
   * @returns the lock, to be passed to the server's process: the files are locked until the last of its processes ends.
   */
  async take(): Promise<{ lock: FileHandle } | { heldBy: OtherUser }> {
    const lock = await tryLock(this.#lockFile);
    const last = await this.#read();
    if (lock === undefined) return { heldBy: { host: last?.host } };
    if (last !== undefined && this.#isForeign(last) && (await this.#isAlive(last))) {
      await lock.close();
      return { heldBy: { host: last.host } };
    }
    await this.#write();
    return { lock };
  }

  /**
   * Writes a heartbeat every two seconds.
   *
   * @param onLost called once if another machine turns out to have taken the files while this one was silent.
   * @returns a function that stops; `isLast` deletes the heartbeat, so that nobody has to wait for a silence.
   */
  keepBeating(onLost: (other: OtherUser) => void): (options: { isLast: boolean }) => Promise<void> {
    let beating: Promise<void> = Promise.resolve();
    const stop = (): void => clearInterval(timer);
    const beat = async (): Promise<void> => {
      const last = await this.#read();
      if (last === undefined || !this.#isForeign(last)) return this.#write();
      stop();
      onLost({ host: last.host });
    };
    // A full disk is noticed elsewhere, and the kernel's lock does not depend on it.
    const timer = setInterval(() => (beating = beat().catch(() => undefined)), BEAT_MS).unref();
    return async ({ isLast }) => {
      stop();
      await beating;
      if (isLast) await rm(this.#beatFile, { force: true });
    };
  }

  #isForeign({ machine }: Beat): boolean {
    return machine !== this.#beat.machine;
  }

  async #isAlive(last: Beat): Promise<boolean> {
    const endsAt = Date.now() + this.#silenceMs;
    while (Date.now() < endsAt) {
      await sleep(100);
      if ((await this.#read())?.at !== last.at) return true;
    }
    return false;
  }

  async #read(): Promise<Beat | undefined> {
    try {
      return JSON.parse(await readFile(this.#beatFile, "utf8")) as Beat;
    } catch {
      return undefined;
    }
  }

  async #write(): Promise<void> {
    const draft = `${this.#beatFile}.${randomBytes(4).toString("hex")}`;
    const at = `${new Date().toISOString()} ${randomBytes(4).toString("hex")}`;
    await writeFile(draft, `${JSON.stringify({ ...this.#beat, at })}\n`, { mode: 0o600 });
    await rename(draft, this.#beatFile);
  }
}

/** The same in all containers of one kernel, which share its locks; different after each start of the machine. */
function identifyMachine(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return hostname();
  }
}
