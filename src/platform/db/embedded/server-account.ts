import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { EmbeddedPostgresUnavailable } from "../errors.js";

const run = promisify(execFile);

/** The server's processes get these variables and no others: nothing of the app's secrets, nothing of the user's locale. */
export const SERVER_ENVIRONMENT = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

/** An account of this machine, in the form of a child process's options. */
export interface ServerAccount {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root uses one of these, in this order. None is ever created. The last one
 * exists on every system, and other programs may run under it, too.
 */
const UNPRIVILEGED_ACCOUNTS = ["sequence-enroller", "postgres", "nobody"];

/**
 * The account the server must run under: undefined for this process's own, unless that is root.
 *
 * @throws EmbeddedPostgresUnavailable if root finds no unprivileged account.
 */
export async function findServerAccount(): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const account = chooseServerAccount(await readAccounts());
  if (account !== undefined) return account;
  throw new EmbeddedPostgresUnavailable(
    `PostgreSQL does not run as root, and this machine has no account named ${UNPRIVILEGED_ACCOUNTS.join(" or ")}. ` +
      "Start the app as an ordinary user, or set DATABASE_URL to a PostgreSQL server.",
  );
}

/**
 * The account that root lends the server: one made for it before one that other programs share.
 *
 * @param accounts in the form of /etc/passwd
 */
export function chooseServerAccount(accounts: string): ServerAccount | undefined {
  return UNPRIVILEGED_ACCOUNTS.map((name) => findAccount(accounts, name)).find(
    (account) => account !== undefined,
  );
}

/** Whether it is the account shared by all programs that have none of their own. */
export async function isNobody(account: ServerAccount): Promise<boolean> {
  return findAccount(await readAccounts(), "nobody")?.uid === account.uid;
}

const readAccounts = (): Promise<string> => readFile("/etc/passwd", "utf8");

function findAccount(accounts: string, name: string): ServerAccount | undefined {
  const lines = accounts.split("\n").map((line) => line.split(":"));
  const entry = lines.find(([account]) => account === name);
  // macOS lists nobody as -2; the system calls take the unsigned form.
  return entry && { uid: Number(entry[2]) >>> 0, gid: Number(entry[3]) >>> 0 };
}

/** Whether the account may enter a folder. Asks the system instead of reading modes, which do not show access lists. */
export async function canEnter(account: ServerAccount, folder: string): Promise<boolean> {
  try {
    await run("/bin/sh", ["-c", 'cd -- "$1"', "sh", folder], { ...account, cwd: "/" });
    return true;
  } catch {
    return false;
  }
}
