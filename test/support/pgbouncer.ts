import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findServerAccount } from "#platform/db/embedded/server-account.js";
import { query } from "./sql.js";
import { freePort } from "./start-app.js";

const PROGRAM = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"].find((file) =>
  existsSync(file),
);

/** Debian's package has it; .ci/run installs that. */
export const hasPgBouncer = PROGRAM !== undefined;

export type PoolMode = "session" | "transaction" | "statement";

/** PgBouncer with its defaults in front of a server. Resolves once it lets somebody through. */
export async function startPgBouncer(
  databaseUrl: string,
  mode: PoolMode,
): Promise<{ url: string; stop(): Promise<void> }> {
  const target = new URL(databaseUrl);
  const folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-pgbouncer-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const users = path.join(folder, "users.txt");
  await writeFile(users, `"${target.username}" ""\n`);
  const settings = [
    "[databases]",
    `* = host=${target.hostname} port=${target.port}`,
    "[pgbouncer]",
    ...["listen_addr = 127.0.0.1", `listen_port = ${port}`, "unix_socket_dir ="],
    ...["auth_type = trust", `auth_file = ${users}`, `pool_mode = ${mode}`],
    // A session each, for as long as a process has it: PgBouncer's default of 20 is less than one process needs.
    "default_pool_size = 40",
  ];
  const file = path.join(folder, "pgbouncer.ini");
  await writeFile(file, `${settings.join("\n")}\n`);
  // As root it refuses to run.
  const account = await findServerAccount();
  const bouncer = spawn(PROGRAM ?? "pgbouncer", ["-q", file], { ...account, cwd: "/", stdio: "ignore" });
  const ended = new Promise((resolve) => bouncer.once("close", resolve));
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  await untilItAnswers(url.href);
  return {
    url: url.href,
    async stop() {
      bouncer.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

async function untilItAnswers(url: string): Promise<void> {
  const endsAt = Date.now() + 60_000;
  for (;;) {
    try {
      await query(url, "SELECT 1");
      return;
    } catch (error) {
      if (Date.now() > endsAt) throw error;
      await sleep(50);
    }
  }
}
