import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { AppError } from "../../errors.js";

/** Another process owns the portal now; this one must not write or send anything more. */
export class LeaseLost extends AppError {
  override readonly code = "LEASE_LOST";
}

/**
 * The next owner would not know what is in HubSpot's window: it may begin only when the whole window has certainly
 * passed.
 */
export class PortalNotReleased extends AppError {
  override readonly code = "PORTAL_NOT_RELEASED";
}

/** Proof of owning a portal. Every write of the owner names `epoch`, and has no effect once a successor raised it. */
export interface PortalLease {
  readonly portalId: PortalId;
  readonly epoch: bigint;
  /** Ms from now until each request an earlier owner sent leaves HubSpot's rolling window; undefined: not known. */
  readonly inheritedMs: readonly number[] | undefined;
  /** Requests per window that HubSpot's last answer to an earlier owner allowed; undefined: not known. */
  readonly allowance: number | undefined;
  readonly circuit: CircuitState;
}

/** What is stored of a portal's circuit between turns (portal-circuit.ts). */
export interface CircuitState {
  /** Ms from now until the portal may be called again; 0 or less: it may be now. */
  readonly openForMs: number;
  /** Times it opened without a success in between; above 0 the next request is a probe. */
  readonly trips: number;
}

interface AcquiredRow {
  epoch: string;
  was_released: boolean;
  inherited_ms: number[] | null;
  request_allowance: number | null;
  circuit_open_for_ms: number | null;
  circuit_trips: number;
}

/**
 * Joining `before` makes it read ahead of the update: it holds what the last owner left. From now on the new owner
 * accounts for that; until the hand-over the column holds what the site takes of its reserve (site-slots.ts), which the
 * successor of a dead owner must leave there.
 */
const ACQUIRE = `
  WITH before AS MATERIALIZED (
    SELECT portal_id, is_released,
           (SELECT array_agg((extract(epoch FROM free_at - clock_timestamp()) * 1000)::float8)
              FROM unnest(request_slots_free_at) AS free_at WHERE free_at > clock_timestamp()) AS inherited_ms
      FROM portal_drains WHERE portal_id = $1 FOR UPDATE
  )
  UPDATE portal_drains AS drain SET epoch = drain.epoch + 1, is_released = false, acquired_at = now(),
         request_slots_free_at = CASE WHEN before.is_released THEN '{}' ELSE drain.request_slots_free_at END
    FROM before WHERE drain.portal_id = before.portal_id
  RETURNING drain.epoch, before.is_released AS was_released, before.inherited_ms, drain.circuit_trips, drain.request_allowance,
    (extract(epoch FROM drain.circuit_open_until - clock_timestamp()) * 1000)::float8 AS circuit_open_for_ms`;

/**
 * Takes ownership by raising the portal's epoch. Which process may do so is decided by the queue (one active drain job
 * per portal); the epoch shuts out the previous owner, if it is still alive.
 */
export async function acquirePortal(pool: Pool, portalId: PortalId): Promise<PortalLease> {
  const acquire = async (): Promise<AcquiredRow | undefined> =>
    (await pool.query<AcquiredRow>({ name: "acquire-portal", text: ACQUIRE, values: [portalId] })).rows[0];
  let row = await acquire();
  if (row === undefined) {
    await pool.query(`INSERT INTO portal_drains (portal_id) VALUES ($1) ON CONFLICT DO NOTHING`, [portalId]);
    row = await acquire();
  }
  if (row === undefined) throw new LeaseLost(`portal ${portalId} could not be acquired`);
  return {
    portalId,
    epoch: BigInt(row.epoch),
    inheritedMs: row.was_released ? (row.inherited_ms ?? []) : undefined,
    allowance: row.request_allowance ?? undefined,
    circuit: { openForMs: row.circuit_open_for_ms ?? 0, trips: row.circuit_trips },
  };
}

/**
 * For a statement whose row count does not show whether the lease held.
 *
 * @throws LeaseLost if the portal has a new owner.
 */
export async function assertOwner(owner: {
  readonly pool: Pool;
  readonly portalId: PortalId;
  readonly epoch: bigint;
}): Promise<void> {
  const { rowCount } = await owner.pool.query({
    name: "assert-owner",
    text: `SELECT 1 FROM portal_drains WHERE portal_id = $1 AND epoch = $2`,
    values: [owner.portalId, owner.epoch],
  });
  if (rowCount === 0) throw new LeaseLost(`portal ${owner.portalId} has a new owner`);
}

/** What an owner knows of its portal's request window and the next one needs (platform/hubspot/pace/request-budget.ts). */
export interface WindowLeft {
  /** Ms from now until each request leaves the window. */
  readonly slotsFreeInMs: readonly number[];
  readonly allowance: number | undefined;
}

/**
 * Hands the portal over in an orderly way, with the rest of its request window, including the site's part. Does nothing
 * once the lease is lost.
 */
export async function releasePortal(pool: Pool, lease: PortalLease, left: WindowLeft): Promise<void> {
  await pool.query({
    name: "release-portal",
    text: `
      UPDATE portal_drains
         SET is_released = true,
             request_allowance = $4,
             request_slots_free_at = ARRAY(
               SELECT clock_timestamp() + ms * interval '1 millisecond' FROM unnest($3::float8[]) AS ms
               UNION ALL
               SELECT free_at FROM unnest(request_slots_free_at) AS free_at WHERE free_at > clock_timestamp())
       WHERE portal_id = $1 AND epoch = $2`,
    values: [lease.portalId, lease.epoch, left.slotsFreeInMs, left.allowance ?? null],
  });
}

/**
 * SQL that makes a statement do nothing unless the lease still holds. With FOR SHARE, a successor's acquisition waits
 * for this statement, and this one sees a successor that was first: no write of an old owner can take effect after a
 * new one began. Expects the portal id as $1 and the epoch as $2.
 */
export const LEASE_CTE = `lease AS (
  SELECT portal_id, epoch, waiters_woken_at FROM portal_drains WHERE portal_id = $1 AND epoch = $2 FOR SHARE
)`;
