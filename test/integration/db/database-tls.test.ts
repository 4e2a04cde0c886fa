import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import { chown, chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { openDatabase } from "#platform/db/client.js";
import { DatabaseUnreachable } from "#platform/db/errors.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { findServerAccount } from "#platform/db/embedded/server-account.js";
import { findServerBinaries } from "#platform/db/embedded/server-binaries.js";
import { createLogger } from "#platform/observability/logger.js";
import { startInstalledPostgres } from "../../support/installed-postgres.js";
import { query, withDatabase } from "../../support/sql.js";

const run = promisify(execFile);
const logger = createLogger({ level: "silent" });

let folder: string;
let server: Awaited<ReturnType<typeof startInstalledPostgres>>;
let url: string;

const file = (name: string) => path.join(folder, name);

/** A certificate authority of one's own, as managed PostgreSQL services have. */
async function makeAuthority(name: string): Promise<void> {
  const subject = ["-subj", `/CN=${name}`, "-days", "2"];
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", ...subject],
    ...["-keyout", file(`${name}.key`), "-out", file(`${name}.pem`)],
  ]);
}

/** Signed by an authority, for 127.0.0.1 and localhost. */
async function makeServerCertificate(authority: string): Promise<void> {
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-CA", file(`${authority}.pem`), "-CAkey", file(`${authority}.key`)],
    ...["-keyout", file("server.key"), "-out", file("server.pem")],
  ]);
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-tls-"));
  await chmod(folder, 0o755);
  for (const name of ["ours", "strangers"]) await makeAuthority(name);
  await makeServerCertificate("ours");
  const account = await findServerAccount();
  await chmod(file("server.key"), 0o600);
  if (account !== undefined) await chown(file("server.key"), account.uid, account.gid);
  const { postgres } = await findServerBinaries({ account, home: folder });
  server = await startInstalledPostgres(path.dirname(postgres), {
    settings: ["ssl=on", `ssl_cert_file=${file("server.pem")}`, `ssl_key_file=${file("server.key")}`],
  });
  await query(server.url, "CREATE DATABASE encrypted");
  url = withDatabase(server.url, "encrypted");
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const migrate = (parameters: string) => applyMigrations({ url: `${url}?${parameters}`, logger });

describe("a server whose certificate is signed by its host's own authority", () => {
  test("is refused without that authority's certificate, in words that name both ways out", async () => {
    const startedAt = performance.now();
    const attempt = migrate("sslmode=require");
    await expect(attempt).rejects.toThrow(DatabaseUnreachable);
    await expect(attempt).rejects.toThrow(/sslrootcert=.*sslmode=no-verify/s);
    // Waiting is no help.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test.each(["require", "verify-full"])("is used with it, under TLS, by sslmode=%s", async (mode) => {
    const parameters = `sslmode=${mode}&sslrootcert=${file("ours.pem")}`;
    await migrate(parameters);
    const database = openDatabase({
      url: `${url}?${parameters}`,
      applicationName: "tls test",
      poolSize: 1,
      connectTimeoutMs: 5_000,
    });
    try {
      const { rows } = await database.pool.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
      expect(rows).toEqual([{ ssl: true }]);
      expect(await database.prisma.portal.count()).toBe(0);
    } finally {
      await database.close();
    }
  });

  test("is refused with another authority's", async () => {
    const attempt = migrate(`sslmode=require&sslrootcert=${file("strangers.pem")}`);
    await expect(attempt).rejects.toThrow(/sslrootcert=/);
  });

  test("is refused in words if the certificate's file is not there", async () => {
    const attempt = migrate(`sslmode=require&sslrootcert=${file("missing.pem")}`);
    await expect(attempt).rejects.toThrow(DatabaseUnreachable);
    await expect(attempt).rejects.toThrow(/A file that DATABASE_URL names/);
  });
});

test("TLS that the server does not offer is refused in words", async () => {
  const plain = process.env["TEST_DATABASE_SERVER_URL"] ?? "";
  await expect(
    applyMigrations({ url: `${plain}?sslmode=require`, logger, connectPatienceMs: 0 }),
  ).rejects.toThrow(/asks for TLS/);
});
