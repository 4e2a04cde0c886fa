import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { columnsHolding, plantEverywhere } from "../support/markers.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const MARKER = "marker-51d0b8";
const OTHERS_MARKER = "marker-aa77e2";

describe("the operator's erase", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp({ environment: { ROLE: "web" } });
    portal = addPlainPortal(running.simulator, { contacts: 1 });
    await running.install(portal);
  });

  afterAll(() => running.close());

  const erase = (...given: string[]) =>
    promisify(execFile)(process.execPath, ["--import", "tsx", "src/bin/operator.ts", "erase", ...given], {
      env: { ...process.env, ...running.environment, ROLE: "all" },
    });

  test.each([[[]], [["1", "2", "--yes"]], [["all", "--yes"]]])(
    "deletes nothing when it is run as %j",
    async (given) => {
      await expect(erase(...given)).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining("Usage"),
      });
    },
  );

  test("deletes a connected account whole, and nothing of another; run again, it finds nothing", async () => {
    const { pool } = running.db.database;
    const [portalId, other] = [BigInt(portal.portalId), BigInt(portal.portalId) + 1n];
    await plantEverywhere(pool, { portalId: other, marker: OTHERS_MARKER });
    const before = await columnsHolding(pool, [OTHERS_MARKER]);
    await plantEverywhere(pool, { portalId, marker: MARKER, given: { portals: { status: "CONNECTED" } } });
    await pool.query(
      `INSERT INTO executions (portal_id, id, callback_id, kind, state, deadline_at, contact_id, request)
       SELECT $1, 10 + n, 'ap-many-' || n, 'ENROLL', 'COMPLETED', now(), '1', '{}' FROM generate_series(1, 4500) AS n`,
      [portalId],
    );
    const { stdout } = await erase(String(portalId), "--yes");
    expect(stdout).toMatch(/^Account \d+: 4[5-9]\d\d rows deleted/);
    // Until HubSpot is told.
    const held = (await columnsHolding(pool, [MARKER])).filter(
      (name) => !name.startsWith("grant_revocations."),
    );
    expect(held).toEqual([]);
    expect(await columnsHolding(pool, [OTHERS_MARKER])).toEqual(before);
    await expect(erase(String(portalId), "--yes")).rejects.toMatchObject({
      code: 3,
      stderr: expect.stringContaining("nothing of it is stored"),
    });
  });
});
