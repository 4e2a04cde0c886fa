import { execFile, spawn } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { findServerAccount } from "#platform/db/embedded/server-account.js";
import { freePort } from "./start-app.js";
import { query } from "./sql.js";

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;

/** What somebody else's server may be set to: no test may depend on its zone. Twelve or thirteen hours before UTC. */
export const FAR_ZONE = "Pacific/Auckland";

/** The app's own rights on an embedded server (src/platform/db/embedded/app-role.ts), and what emptying a used database takes. */
const APP_ROLE = `
  CREATE ROLE app LOGIN CREATEDB;
  DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 150000
    THEN EXECUTE 'GRANT SET ON PARAMETER session_replication_role TO app'; END IF;
  END $$`;

/**
 * Starts a server of the PostgreSQL whose programs lie in `binaries`, with a folder of its own that goes afterward. Nothing
 * on it outlives the run, so it does not wait for the disk; and autovacuum would go through a hundred small databases over
 * and over.
 *
 * @param options.locale further arguments of initdb.
 * @param options.settings further settings of the server, as name=value.
 * @returns the URL of a plain role that may make databases.
 */
export async function startInstalledPostgres(
  binaries: string,
  options: { locale?: readonly string[]; settings?: readonly string[] } = {},
): Promise<{ url: string; superuserUrl: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-installed-"));
  // PostgreSQL does not run as root.
  const account = await findServerAccount();
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const data = path.join(folder, "data");
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
  const asAccount = { ...account, cwd: folder, env };
  await run(
    path.join(binaries, "initdb"),
    [
      `--pgdata=${data}`,
      "--username=tester",
      "--auth=trust",
      "--encoding=UTF8",
      "--no-sync",
      ...(options.locale ?? []),
    ],
    asAccount,
  );
  const port = await freePort();
  const settings = [
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_connections=200",
    `timezone=${FAR_ZONE}`,
    `unix_socket_directories=${folder}`,
    ...(options.settings ?? []),
  ];
  const server = spawn(
    path.join(binaries, "postgres"),
    ["-D", data, "-p", String(port), "-h", "127.0.0.1", ...settings.flatMap((setting) => ["-c", setting])],
    { ...asAccount, stdio: "ignore" },
  );
  const superuserUrl = `postgresql://tester@127.0.0.1:${port}/postgres`;
  await untilReady(superuserUrl);
  await query(superuserUrl, APP_ROLE);
  return {
    url: superuserUrl.replace("tester", "app"),
    superuserUrl,
    async stop() {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGINT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string): Promise<void> {
  const endsAt = Date.now() + START_TIMEOUT_MS;
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
