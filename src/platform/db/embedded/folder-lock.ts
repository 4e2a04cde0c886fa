import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { EmbeddedPostgresUnavailable } from "../errors.js";

/** Exit code of flock(1) and Perl if another process has the lock. */
const HELD_BY_ANOTHER = 1;

const PERL_FLOCK =
  'open my $file, "+<&=3" or exit 71; exit(flock($file, LOCK_EX | LOCK_NB) ? 0 : $!{EWOULDBLOCK} ? 1 : 71)';

/** Node cannot lock a file. Each of these commands locks descriptor 3; the first one installed is used. */
const LOCKERS = [
  ["flock", "-x", "-n", "3"],
  ["perl", "-MFcntl=:flock", "-MErrno", "-e", PERL_FLOCK],
] as const;

/**
 * Takes the kernel's lock on a file, which is created if missing and must never be deleted. The lock belongs to the
 * open file, not to a process number: it holds in every container of the machine, and lasts until this process and
 * every process that inherited the descriptor has closed it or ended.
 *
 * @returns the open file; closing it gives up this process's share; undefined if another process has the lock.
 * @throws EmbeddedPostgresUnavailable if the file cannot be locked here at all: continuing without a lock would risk
 *   the data.
 */
export async function tryLock(file: string): Promise<FileHandle | undefined> {
  // Open for writing: network file systems lock nothing else.
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const code = await runLocker(handle.fd);
    if (code === 0) return handle;
    if (code !== HELD_BY_ANOTHER) throw cannotLock(file, code);
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/** @returns the exit code of the first locker that is installed; undefined if none is. */
async function runLocker(descriptor: number): Promise<number | undefined> {
  for (const [program, ...args] of LOCKERS) {
    const code = await exitCodeOf(program, args, descriptor);
    if (code !== "missing") return code;
  }
  return undefined;
}

function exitCodeOf(
  program: string,
  args: readonly string[],
  descriptor: number,
): Promise<number | "missing"> {
  return new Promise((resolve) => {
    const locker = spawn(program, args, { stdio: ["ignore", "ignore", "ignore", descriptor] });
    locker.once("error", () => resolve("missing"));
    locker.once("exit", (code) => resolve(code ?? -1));
  });
}

function cannotLock(file: string, code: number | undefined): EmbeddedPostgresUnavailable {
  const why =
    code === undefined
      ? "there is neither flock (of util-linux) nor perl here to lock it with"
      : "its file system does not lock files";
  return new EmbeddedPostgresUnavailable(
    `The embedded database needs ${file} locked against a second server, but ${why}. ` +
      "Set DATA_DIR to a folder on a local disk of a machine that has one of them, or set DATABASE_URL to a PostgreSQL server.",
  );
}
