import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execFile } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { ensureBuilt } from "../../bench/chaos/stage.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import {
  Cluster,
  hasPostgresTools,
  makeArchive,
  makeClusterFolder,
  type ClusterFolder,
} from "../support/cluster.js";
import { query } from "../support/sql.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

if (!hasPostgresTools)
  console.warn("skipped: PostgreSQL's tools are not installed, so no backup was restored");

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CONTACTS = 40;
/** Servers are made, copied and brought back: half a minute for each step, and many times that on a machine that is busy. */
const WITHIN_MS = 300_000;

(hasPostgresTools ? describe : describe.skip)(
  "a database that comes back as it was at an earlier moment",
  () => {
    let folder: ClusterFolder;
    let archive: Awaited<ReturnType<typeof makeArchive>>;
    let running: RunningApp;
    let portal: SimulatedPortal;
    let moment: string;

    /** An app at work, a base backup from before, a dump from amidst, and a crash after everybody was enrolled. */
    beforeAll(async () => {
      ensureBuilt();
      folder = await makeClusterFolder();
      archive = await makeArchive(folder);
      const primary = await Cluster.make(folder, "primary", archive.keep);
      running = await startRunningApp({
        simulator: { openQuestions: { endedEnrollment: 404 } },
        believeNoneAfterMs: 1_500,
        // Half of the contacts are in line when the others are done.
        environment: { DATABASE_URL: primary.url, HUBSPOT_RATE_LIMIT: "30" },
      });
      portal = addPlainPortal(running.simulator, { contacts: CONTACTS });
      await running.install(portal);
      const here = ["--host=127.0.0.1", `--port=${primary.port}`];
      const copy = path.join(folder.path, "by-wal");
      await folder.tool("pg_basebackup", [
        ...here,
        "--username=tester",
        `--pgdata=${copy}`,
        "--checkpoint=fast",
      ]);

      const action = portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds: [...portal.contacts.keys()],
        inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
        objectProperties: [...REQUESTED_PROPERTIES],
      });
      await action.answered;
      await running.simulator.waitFor(() => portal.enrollments.total >= 8);
      const [row] = await query(primary.superuserUrl, "SELECT clock_timestamp()::text AS moment");
      moment = String(row?.["moment"]);
      const dump = path.join(folder.path, "dump");
      await folder.tool("pg_dump", [
        ...here,
        "--username=enroller",
        "--format=custom",
        `--file=${dump}`,
        "enroller",
      ]);
      await action.finished;
      for (const id of [...portal.contacts.keys()].slice(0, CONTACTS / 2))
        portal.endEnrollment(id, "replied");

      await running.stop();
      await query(primary.superuserUrl, "SELECT pg_switch_wal()");
      await primary.stop("fast");
    }, WITHIN_MS);

    afterAll(async () => {
      await running.close();
      await folder.drop();
    });

    async function byWal(): Promise<Cluster> {
      const restored = await Cluster.ofCopy(folder, "by-wal");
      const recovery = [`recovery_target_time = '${moment}'`, "recovery_target_action = promote"];
      await restored.configure([...recovery, archive.fetch, "archive_mode = off"]);
      await restored.markForRecovery();
      await restored.start();
      return restored;
    }

    async function byDump(): Promise<Cluster> {
      const restored = await Cluster.make(folder, "by-dump");
      const to = ["--host=127.0.0.1", `--port=${restored.port}`, "--username=enroller", "--dbname=enroller"];
      await folder.tool("pg_restore", [...to, "--exit-on-error", path.join(folder.path, "dump")]);
      return restored;
    }

    async function untilCount(url: string, condition: string, wanted: number): Promise<void> {
      const endsAt = Date.now() + WITHIN_MS / 2;
      for (;;) {
        const [row] = await query(url, `SELECT count(*)::int AS left FROM executions WHERE ${condition}`);
        if (row?.["left"] === wanted) return;
        if (Date.now() > endsAt) throw new Error(`${String(row?.["left"])} executions are left`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }

    test.each([
      ["a base backup and its WAL", byWal],
      ["pg_dump", byDump],
    ])(
      "from %s, it enrolls nobody again: after the operator's command each contact is read first",
      async (_from, restore) => {
        const restored = await restore();
        try {
          const [undecided] = await query(
            restored.url,
            "SELECT count(*)::int AS count FROM executions WHERE decided_at IS NULL",
          );
          // It is of the moment amidst: HubSpot has enrolled all of these since.
          expect(undecided?.["count"]).toBeGreaterThan(0);
          await untilEverybodyIs(restored);

          const environment = { ...running.environment, DATABASE_URL: restored.url };
          const { stdout } = await run(process.execPath, ["scripts/start.mjs", "bin/after-restore.js"], {
            cwd: ROOT,
            env: { PATH: process.env["PATH"] ?? "", ...environment },
          });
          expect(stdout).toContain(`before anything is sent: ${String(undecided?.["count"])}`);

          const app = await running.startAnother({ DATABASE_URL: restored.url });
          await untilCount(restored.url, "decided_at IS NULL", 0);
          await app.close({ graceMs: 1_000 });
          const statuses = await query(restored.url, "SELECT DISTINCT enrollment_status FROM executions");
          expect(statuses).toEqual([{ enrollment_status: "ENROLLED" }]);
          expect(portal.enrollments.total).toBe(CONTACTS);
          for (const id of portal.contacts.keys()) expect(portal.enrollments.factsOf(id).posts).toBe(1);
        } finally {
          await restored.stop("immediate");
        }
      },
      WITHIN_MS,
    );

    /** Every call was accepted before the moment, so each has its row. */
    const untilEverybodyIs = (restored: Cluster) => untilCount(restored.url, "true", CONTACTS);
  },
);
