import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { EmbeddedPostgresUnavailable } from "./errors.js";

const run = promisify(execFile);

/** An account of this machine, as the options of a child process take it. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root, so root lends it one of these, in this order. None is ever created. */
const UNPRIVILEGED_ACCOUNTS = ["postgres", "nobody"];

/**
 * The account the server must run under: undefined for this process's own, which is so unless it is root.
 *
 * @throws EmbeddedPostgresUnavailable where root finds no unprivileged account.
 */
export async function findServerAccount(): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const entries = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of UNPRIVILEGED_ACCOUNTS) {
    const entry = entries.find(([account]) => account === name);
    // macOS lists nobody as -2; the system calls take the unsigned form.
    if (entry !== undefined) return { uid: Number(entry[2]) >>> 0, gid: Number(entry[3]) >>> 0 };
  }
  throw new EmbeddedPostgresUnavailable(
    `PostgreSQL does not run as root, and this machine has no account named ${UNPRIVILEGED_ACCOUNTS.join(" or ")}. ` +
      "Start the app as an ordinary user, or set DATABASE_URL to a PostgreSQL server.",
  );
}

/** Whether the account may go into a folder. Asks the system rather than reading modes, which miss access lists. */
export async function canEnter(account: ServerAccount, folder: string): Promise<boolean> {
  try {
    await run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...account, cwd: "/" });
    return true;
  } catch {
    return false;
  }
}
