import { execFile, spawn } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { findServerAccount } from "../../src/db/server-account.js";
import { freePort } from "./start-app.js";
import { query } from "./sql.js";

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;

/** Starts a server of the PostgreSQL whose programs lie in `binaries`, with a folder of its own that goes afterwards. */
export async function startInstalledPostgres(
  binaries: string,
): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-installed-"));
  // PostgreSQL does not run as root.
  const account = await findServerAccount();
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const data = path.join(folder, "data");
  const env = { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
  const options = { ...account, cwd: folder, env };
  await run(
    path.join(binaries, "initdb"),
    [`--pgdata=${data}`, "--username=tester", "--auth=trust", "--encoding=UTF8"],
    options,
  );
  const port = await freePort();
  const settings = [
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    `unix_socket_directories=${folder}`,
  ];
  const server = spawn(
    path.join(binaries, "postgres"),
    ["-D", data, "-p", String(port), "-h", "127.0.0.1", ...settings.flatMap((setting) => ["-c", setting])],
    { ...options, stdio: "ignore" },
  );
  const url = `postgresql://tester@127.0.0.1:${port}/postgres`;
  await untilReady(url);
  return {
    url,
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
    } catch (fault) {
      if (Date.now() > endsAt) throw fault;
      await sleep(50);
    }
  }
}
