import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { watchHalts } from "../support/longest-halt.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";
import { tapWire, type WireTap } from "../support/wire-tap.js";

const ROTATIONS = 5_000;
const MEMBERS = { of: 20, ofLarge: 200 };
/** Rotations with as many members as may be, one for each contact of a round. */
const LARGE = 60;
const PRESETS = 2_000;
const SENDERS = 5_000;
/** A busy machine halts one of them now and then, an account that is too large all. */
const ROUNDS = 3;
const LONGEST_HALT_MS = 150;
/** Of a slice of the largest rotations, which has 460,000; those of one round together have three times as much. */
const LARGEST_ROW_BYTES = 700_000;
/** Of all senders, and of the rotations and presets that contacts name: 4.2 million. All rotations alone have twice as much. */
const MOST_BYTES = 6_000_000;

describe(`an account that has made ${ROTATIONS} rotations, ${PRESETS} presets and ${SENDERS} senders`, () => {
  let db: TestDatabase;
  let tap: WireTap;
  let running: RunningApp;
  let portal: SimulatedPortal;
  let rotationIds: string[];

  beforeAll(async () => {
    db = await createTestDatabase();
    tap = await tapWire(db.url);
    running = await startRunningApp({
      environment: { HUBSPOT_RATE_LIMIT: "1000", DATABASE_URL: tap.url },
      simulator: { rateLimit: { requests: 1_000, windowMs: 10_000 } },
    });
    portal = addPlainPortal(running.simulator, { contacts: ROUNDS * LARGE, users: MEMBERS.ofLarge + 5 });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
    await stock(portal.senders.slice(0, MEMBERS.ofLarge).map(({ userId }) => String(userId)));
    const { rows } = await db.database.pool.query<{ id: string }>(
      `SELECT rotation_id::text AS id FROM rotations WHERE portal_id = $1 ORDER BY rotation_id LIMIT $2`,
      [portal.portalId, LARGE],
    );
    rotationIds = rows.map(({ id }) => id);
  });

  afterAll(async () => {
    await running.close();
    await tap.close();
    await db.drop();
  });

  async function stock(userIds: readonly string[]): Promise<void> {
    const { pool } = db.database;
    const { portalId } = portal;
    const domains = Array.from({ length: 200 }, (_, index) => `domain-${index}.example`);
    const policy = { ...INITIAL_POLICY, suppression: { domains, property: null } };
    await pool.query(
      `INSERT INTO rotations (portal_id, name) SELECT $1, 'Rotation ' || n FROM generate_series(1, $2) AS n`,
      [portalId, ROTATIONS],
    );
    await pool.query(
      `INSERT INTO rotation_members (portal_id, rotation_id, user_id)
       SELECT $1, rotation_id, member.user_id
         FROM (SELECT rotation_id, row_number() OVER (ORDER BY rotation_id) AS place FROM rotations WHERE portal_id = $1) AS rotation,
              unnest($2::bigint[]) WITH ORDINALITY AS member (user_id, number)
        WHERE member.number <= CASE WHEN place <= ${LARGE} THEN ${MEMBERS.ofLarge} ELSE ${MEMBERS.of} END`,
      [portalId, userIds],
    );
    await pool.query(
      `INSERT INTO presets (portal_id, name, policy) SELECT $1, 'Preset ' || n, $3 FROM generate_series(1, $2) AS n`,
      [portalId, PRESETS, policy],
    );
    await pool.query(
      `INSERT INTO senders (portal_id, user_id, window_days) SELECT $1, 1000000000 + n, '{1,2,3}' FROM generate_series(1, $2) AS n`,
      [portalId, SENDERS],
    );
  }

  /** Each contact by a rotation of its own. */
  async function enroll(contactIds: readonly string[]): Promise<void> {
    const runs = contactIds.map((contactId, index) =>
      portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds: [contactId],
        inputs: {
          sequence_id: [...portal.sequences.keys()][0] ?? "",
          sender_mode: "rotation",
          rotation_id: rotationIds[index] ?? "",
        },
        objectProperties: [...REQUESTED_PROPERTIES],
      }),
    );
    for (const run of runs) await run.finished;
  }

  test("is worked for in slices, by the rotations that are named alone, without a long halt, and each rotation is turned", async () => {
    const contactIds = [...portal.contacts.keys()];
    tap.rowBytes.length = 0;
    const haltsMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const longestHaltMs = watchHalts();
      await enroll(contactIds.slice(round * LARGE, (round + 1) * LARGE));
      haltsMs.push(longestHaltMs());
    }
    expect(portal.enrollments.all()).toHaveLength(contactIds.length);
    const { rows } = await db.database.pool.query<{ picks: number }>(
      `SELECT sum(picks)::int AS picks FROM rotation_members WHERE portal_id = $1 AND rotation_id = ANY ($2::bigint[])
        GROUP BY rotation_id`,
      [portal.portalId, rotationIds],
    );
    expect(rows).toEqual(rotationIds.map(() => ({ picks: ROUNDS })));
    expect(Math.max(...tap.rowBytes)).toBeLessThan(LARGEST_ROW_BYTES);
    expect(tap.rowBytes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(MOST_BYTES);
    expect(Math.min(...haltsMs)).toBeLessThan(LONGEST_HALT_MS);
  });
});
