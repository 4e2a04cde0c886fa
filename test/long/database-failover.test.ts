import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import path from "node:path";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import {
  Cluster,
  hasPostgresTools,
  makeClusterFolder,
  openSwitch,
  type ClusterFolder,
} from "../support/cluster.js";
import { query } from "../support/sql.js";
import { addPlainPortal, startRunningApp, UNKIND_BUT_QUICK, type RunningApp } from "../support/start-app.js";

if (!hasPostgresTools) console.warn("skipped: PostgreSQL's tools are not installed, so no standby took over");

const CONTACTS = 300;
const WITHIN_MS = 170_000;

(hasPostgresTools ? describe : describe.skip)("when PostgreSQL fails over to its synchronous standby", () => {
  let folder: ClusterFolder;
  let primary: Cluster;
  let standby: Cluster;
  let address: Awaited<ReturnType<typeof openSwitch>>;
  let running: RunningApp | undefined;

  beforeEach(async () => {
    folder = await makeClusterFolder();
    primary = await Cluster.make(folder, "primary");
    const from = ["--host=127.0.0.1", `--port=${primary.port}`, "--username=tester", "--checkpoint=fast"];
    const copy = path.join(folder.path, "standby");
    await folder.tool("pg_basebackup", [
      ...from,
      `--pgdata=${copy}`,
      "--write-recovery-conf",
      "--wal-method=stream",
    ]);
    standby = await Cluster.ofCopy(folder, "standby");
    await standby.start();
    await query(primary.superuserUrl, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    await query(primary.superuserUrl, "SELECT pg_reload_conf()");
    await untilSynchronous();
    address = await openSwitch(primary.port);
  }, WITHIN_MS);

  afterEach(async () => {
    await running?.close();
    await address.close();
    await standby.stop("immediate").catch(() => undefined);
    await primary.stop("immediate").catch(() => undefined);
    await folder.drop();
  });

  async function untilSynchronous(): Promise<void> {
    const endsAt = Date.now() + 30_000;
    const sql = "SELECT sync_state FROM pg_stat_replication";
    while ((await query(primary.superuserUrl, sql))[0]?.["sync_state"] !== "sync") {
      if (Date.now() > endsAt) throw new Error("the standby does not replicate synchronously");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  test(
    "under load, every call that was answered is there and ends once, and nobody is enrolled twice",
    async () => {
      const url = primary.url.replace(`:${primary.port}/`, `:${address.port}/`);
      running = await startRunningApp({
        ...UNKIND_BUT_QUICK,
        environment: { DATABASE_URL: url, HUBSPOT_RATE_LIMIT: "400" },
      });
      const portal = addPlainPortal(running.simulator, { contacts: CONTACTS });
      await running.install(portal);
      const action = portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds: [...portal.contacts.keys()],
        inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
        objectProperties: [...REQUESTED_PROPERTIES],
        ratePerSecond: 40,
        duplicateProbability: 0.05,
        timeoutMs: 5_000,
      });
      await running.simulator.waitFor(() => portal.enrollments.total >= 60, { timeoutMs: 60_000 });

      await primary.stop("immediate");
      await standby.promote();
      address.lead(standby.port);

      await action.finished;
      const refused = action.executions.flatMap(({ attempts }) => attempts.map(({ status }) => status));
      expect(new Set(refused.filter((status) => status !== 200 && status !== 503))).toEqual(new Set());
      expect(portal.callbacks.acceptedCount).toBe(CONTACTS);
      expect(portal.enrollments.total).toBe(CONTACTS);
      const twice = [...portal.contacts.keys()].filter((id) => {
        const { accepted, whileActive } = portal.enrollments.factsOf(id);
        return accepted > 1 || whileActive > 0;
      });
      expect(twice).toEqual([]);
      const [row] = await query(
        standby.url,
        "SELECT count(DISTINCT contact_id)::int AS count FROM executions",
      );
      expect(row?.["count"]).toBe(CONTACTS);
      expect((await fetch(`${running.publicUrl}/readyz`)).status).toBe(200);
    },
    WITHIN_MS,
  );
});
