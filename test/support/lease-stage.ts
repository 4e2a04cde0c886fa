import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import type { PoolClient } from "pg";
import { type Ownership } from "#domain/executions/claim.js";
import { enrolled } from "#domain/contract/outcome.js";
import { type Finding } from "#domain/executions/write-back.js";
import { acquirePortal, LEASE_CTE, type PortalLease } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "./database.js";

export const PORTAL = 4_711n;

export const OTHER = 4_712n;

export let db: TestDatabase;

export let nextCallback = 0;

export const pool = () => db.database.pool;

export const ownerOf = (lease: PortalLease): Ownership => ({
  pool: pool(),
  portalId: lease.portalId,
  epoch: lease.epoch,
  leaseCte: LEASE_CTE,
});

export const acquire = (portalId = PORTAL) => acquirePortal(pool(), portalId);

/** Stores executions as accepted; the oldest first. */
export async function store(
  count: number,
  changes: { portalId?: bigint; state?: string; dueInMs?: number; lane?: number } = {},
) {
  const ids: bigint[] = [];
  for (let made = 0; made < count; made += 1) {
    nextCallback += 1;
    const { rows } = await pool().query<{ id: string }>(
      `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, sequence_id, request, lane)
       VALUES ($1, $2, 'ENROLL', $3, now() + ($4 - 1000 + $5) * interval '1 millisecond', now() + interval '1 day', '1001', '300000001',
               '{"senderMode":"contact_owner","ifAlreadyEnrolled":"skip"}', $6) RETURNING id`,
      [
        changes.portalId ?? PORTAL,
        `ap-lease-${nextCallback}`,
        changes.state ?? "QUEUED",
        changes.dueInMs ?? 0,
        made,
        changes.lane ?? 0,
      ],
    );
    ids.push(BigInt(rows[0]?.id ?? 0));
  }
  return ids;
}

export const statesOf = async (portalId = PORTAL): Promise<Record<string, number>> => {
  const { rows } = await pool().query<{ state: string; count: number }>(
    `SELECT state, count(*)::int AS count FROM executions WHERE portal_id = $1 GROUP BY state`,
    [portalId],
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
};

export const done = (id: bigint, from: Finding["from"] = "ATTEMPTING"): Finding => ({
  id,
  from,
  result: { to: "DECIDED", outcome: enrolled({ id: "60000001", enrolledAt: new Date() }) },
});

/** Runs `work` in a transaction of its own and commits when told to: the other side of an interleaving. */
export async function transaction(work: (client: PoolClient) => Promise<void>): Promise<() => Promise<void>> {
  const client = await pool().connect();
  await client.query("BEGIN");
  await work(client);
  return async () => {
    await client.query("COMMIT");
    client.release();
  };
}

/** Resolves once some backend waits for a lock: the interleaving is where it should be. */
export async function untilSomebodyWaits(): Promise<void> {
  for (let looks = 0; looks < 400; looks += 1) {
    const { rows } = await pool().query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("nobody waits for a lock");
}

/** A database for a whole test file, with two portals for each test. */
export function useLeaseStage(): void {
  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    await db.database.pool.query(`TRUNCATE executions, portal_drains`);
  });
}
