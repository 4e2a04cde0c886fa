import { execFile } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Pool } from "pg";
import { findServerAccount } from "#platform/db/embedded/server-account.js";

const run = promisify(execFile);

/** A disk that can be filled up, with the executions on it. */
export interface SmallDisk {
  /** True if it is a file system of its own; false if the server is made to say that its disk is full. */
  readonly isReal: boolean;
  fill(): Promise<void>;
  empty(): Promise<void>;
  close(): Promise<void>;
}

const DISK_BYTES = 4 * 1024 * 1024;

/** A tmpfs of a few MB as tablespace where this process may mount one; the same error from a trigger elsewhere. */
export async function putExecutionsOnSmallDisk(pool: Pool): Promise<SmallDisk> {
  const folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-disk-"));
  const account = await findServerAccount();
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder]);
  } catch {
    await rm(folder, { recursive: true });
    return pretend(pool);
  }
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  await pool.query(`CREATE TABLESPACE small_disk LOCATION '${folder}'`);
  await pool.query(`ALTER TABLE executions SET TABLESPACE small_disk`);
  await pool.query(`CREATE TABLE filling (bytes text STORAGE plain) TABLESPACE small_disk`);
  return {
    isReal: true,
    fill: () => fill(pool),
    async empty() {
      await pool.query(`TRUNCATE filling`);
    },
    async close() {
      await run("umount", ["--lazy", folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Fills whole pages first, then what is free in those of the executions: by rows smaller than any call's. What earlier
 * changes left behind is cleared away before: otherwise the server does that meanwhile, and calls find room.
 */
async function fill(pool: Pool): Promise<void> {
  await pool.query(`VACUUM executions`);
  await untilFull(() =>
    pool.query(`INSERT INTO filling SELECT repeat('x', 7000) FROM generate_series(1, 8)`),
  );
  await untilFull(() => pool.query(`INSERT INTO filling VALUES (repeat('x', 7000))`));
  await untilFull(() =>
    pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, request)
       VALUES (0, gen_random_uuid()::text, '', 'COMPLETED', now(), '', '{}')`,
    ),
  );
}

async function untilFull(insert: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 20_000; tries += 1) {
    try {
      await insert();
    } catch (error) {
      if ((error as { code?: unknown }).code === "53100") return;
      throw error;
    }
  }
  throw new Error("the disk did not fill up");
}

async function pretend(pool: Pool): Promise<SmallDisk> {
  await pool.query(`
    CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
  return {
    isReal: false,
    async fill() {
      await pool.query(
        `CREATE TRIGGER disk_is_full BEFORE INSERT ON executions EXECUTE FUNCTION disk_is_full()`,
      );
    },
    async empty() {
      await pool.query(`DROP TRIGGER IF EXISTS disk_is_full ON executions`);
    },
    close: () => Promise.resolve(),
  };
}
