import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median } from "../report/statistics.js";
import { addBacklog } from "../rig/backlog.js";
import { cpuSecondsOf } from "../rig/cpu-time.js";
import { processOptions, startRig } from "../rig/rig.js";
import { portalIds, stockPortals, warmUp } from "../rig/stock.js";

const LATENCY_MS = 50;
const LIMIT = 1_000;
const MEMBERS = 200;
/** On leave for months, as after a reorganization. */
const AWAY = 150;
const FIRST_MEMBER = 77_000_001;
/** What one of the portals has made besides, which no contact names. */
const UNUSED = { rotations: 5_000, members: 20, presets: 500 };
const LOOK_MS = 50;
const TIMEOUT_MS = 30_000;

/** A rotation of everybody in each portal, whose members send Monday to Friday, nine to five; the default of each. */
async function addRotations(pool: Pool, ids: readonly number[]): Promise<void> {
  const members = `unnest($1::bigint[]) AS portal (id), generate_series(0, ${MEMBERS - 1}) AS number`;
  const userId = `${FIRST_MEMBER} + number`;
  await pool.query(
    `INSERT INTO users (portal_id, user_id, email, super_admin, seat_names, is_listed)
     SELECT portal.id, ${userId}, 'member' || number || '@example.com', false, '{}', true FROM ${members}`,
    [ids],
  );
  await pool.query(
    `INSERT INTO senders (portal_id, user_id, window_days, window_start_minute, window_end_minute, time_zone, away)
     SELECT portal.id, ${userId}, '{1,2,3,4,5}', 540, 1020, 'America/New_York',
            CASE WHEN number < ${AWAY} THEN jsonb_build_array(jsonb_build_object('from', '2026-11-01',
              'to', to_char(date '2027-02-01' + number, 'YYYY-MM-DD'))) ELSE '[]' END
       FROM ${members}`,
    [ids],
  );
  await pool.query(
    `WITH rotation AS (
       INSERT INTO rotations (portal_id, name) SELECT unnest($1::bigint[]), 'Everybody' RETURNING portal_id, rotation_id
     ), preset AS (
       INSERT INTO presets (portal_id, name, is_default, policy)
       SELECT portal_id, 'Everybody', true,
              $2::jsonb || jsonb_build_object('sender', jsonb_build_object('mode', 'rotation', 'rotationId', rotation_id::text))
         FROM rotation
     )
     INSERT INTO rotation_members (portal_id, rotation_id, user_id)
     SELECT portal_id, rotation_id, ${userId} FROM rotation, generate_series(0, ${MEMBERS - 1}) AS number`,
    [ids, JSON.stringify(INITIAL_POLICY)],
  );
}

async function addUnused(pool: Pool, portalId: number): Promise<void> {
  await pool.query(
    `WITH rotation AS (
       INSERT INTO rotations (portal_id, name) SELECT $1, 'Unused ' || number FROM generate_series(1, ${UNUSED.rotations}) AS number
       RETURNING portal_id, rotation_id
     )
     INSERT INTO rotation_members (portal_id, rotation_id, user_id)
     SELECT portal_id, rotation_id, ${FIRST_MEMBER} + number FROM rotation, generate_series(0, ${UNUSED.members - 1}) AS number`,
    [portalId],
  );
  await pool.query(
    `INSERT INTO presets (portal_id, name, policy)
     SELECT $1, 'Unused ' || number, $2 FROM generate_series(1, ${UNUSED.presets}) AS number`,
    [portalId, INITIAL_POLICY],
  );
}

/** Until each contact of the portals waits for its Monday. @throws Error where that takes long. */
async function allPutOff(pool: Pool): Promise<void> {
  const giveUpAt = performance.now() + TIMEOUT_MS;
  for (;;) {
    const { rows } = await pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM executions WHERE state = 'QUEUED' AND due_at <= now() OR state = 'ATTEMPTING'`,
    );
    if (rows[0]?.count === 0) return;
    if (performance.now() > giveUpAt) throw new Error(`${rows[0]?.count} contacts have not been looked at`);
    await sleep(LOOK_MS);
  }
}

/**
 * A list is enrolled on a Saturday, in a few portals at once: every contact asks all members of its rotation and is put
 * off to Monday. One of the portals has made thousands of rotations that none of its contacts uses. How long the worker's event loop halts is noted by the rig, as of every part.
 */
export async function measureWeekend(options: BenchOptions): Promise<Figure[]> {
  const [count, each] = options.isQuick ? [2, 50] : [5, 100];
  const rig = await startRig({ rateLimit: LIMIT, latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    const ids = portalIds(count);
    await stockPortals(rig, { portalIds: ids, contacts: 1 + each * options.runs });
    const script = new URL("./saturday-worker.ts", import.meta.url);
    const worker = await rig.startApp({ role: "worker", name: "worker", script });
    await warmUp(rig, ids);
    await addRotations(rig.pool, ids);
    await addUnused(rig.pool, ids[0] as number);
    const costs: number[] = [];
    for (let run = 0; run < options.runs; run += 1) {
      const before = cpuSecondsOf(worker.pid);
      const backlog = { portalIds: ids, each, from: 1 + each * run };
      await addBacklog(rig.pool, { ...backlog, senderMode: "portal_default" });
      await allPutOff(rig.pool);
      costs.push(((cpuSecondsOf(worker.pid) - before) * 1e6) / (count * each));
      options.tell(`weekend, run ${run + 1}: worker ${costs.at(-1)?.toFixed(0)} µs a contact`);
    }
    return [
      {
        id: "weekend-cpu-worker",
        area: "weekend",
        unit: "µs",
        what: `the worker's processor time per contact put off by a rotation of ${MEMBERS}`,
        ours: median(costs),
        runs: costs,
      },
    ];
  } finally {
    await rig.close();
  }
}
