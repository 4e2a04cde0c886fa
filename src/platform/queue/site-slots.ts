import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** What one request of the settings site or of an import may use of its portal's window. */
export interface SiteSlot {
  readonly portalId: PortalId;
  /** Ms from now until HubSpot certainly no longer counts the request, whatever happens to it. */
  readonly heldMs: number;
  /** Requests per window that we allow ourselves. */
  readonly limit: number;
  /** Of these, what may be used beside the portal's owner, who leaves it free. */
  readonly reserve: number;
  /** Part of them that may be used while nobody drains the portal; by default all. */
  readonly share?: number;
}

/** A place that was taken. */
export interface TakenSlot {
  /** HubSpot has answered, and counts the request for `ms` from now at most: the place is free then. */
  shorten(ms: number): Promise<void>;
}

/**
 * While an owner drains the portal, what it accounts for is in its memory and the column holds the site's requests alone:
 * they keep to the reserve. At rest the column holds what is left of the whole window: they keep to its limit.
 */
const TAKE = `
  INSERT INTO portal_drains AS drain (portal_id, request_slots_free_at)
  VALUES ($1, ARRAY[clock_timestamp() + $2::float8 * interval '1 millisecond'])
  ON CONFLICT (portal_id) DO UPDATE
    SET request_slots_free_at = excluded.request_slots_free_at || ARRAY(
          SELECT free_at FROM unnest(drain.request_slots_free_at) AS free_at WHERE free_at > clock_timestamp())
  WHERE (SELECT count(*) FROM unnest(drain.request_slots_free_at) AS free_at WHERE free_at > clock_timestamp())
        < CASE WHEN drain.is_released THEN greatest(1, floor(least($3::int, drain.request_allowance) * $5::float8))
               ELSE $4::int END
  RETURNING request_slots_free_at[1]::text AS free_at, epoch`;

/**
 * Places are alike but for the time at which they are free, by which one is found again. If an owner began since, it
 * accounts for the place as long as was said at first.
 */
const SHORTEN = `
  UPDATE portal_drains
     SET request_slots_free_at[array_position(request_slots_free_at, $2::timestamptz)]
         = clock_timestamp() + $3::float8 * interval '1 millisecond'
   WHERE portal_id = $1 AND epoch = $4 AND $2::timestamptz = ANY (request_slots_free_at)`;

/**
 * Takes a place in the portal's request window for the settings site or an import, of whatever process: one conditional
 * update of the row that all of them and the portal's owners share, so that together they never exceed the window.
 * Nothing on the owner's way is slower for it. If the process dies, or the answer is lost, the place is held to its end.
 *
 * @returns undefined if there is none now.
 */
export async function takeSiteSlot(
  pool: Pool,
  { portalId, heldMs, limit, reserve, share = 1 }: SiteSlot,
): Promise<TakenSlot | undefined> {
  const { rows } = await pool.query<{ free_at: string; epoch: string }>({
    name: "take-site-slot",
    text: TAKE,
    values: [portalId, heldMs, limit, reserve, share],
  });
  const [taken] = rows;
  if (taken === undefined) return undefined;
  return {
    async shorten(ms) {
      const values = [portalId, taken.free_at, ms, taken.epoch];
      await pool.query({ name: "shorten-site-slot", text: SHORTEN, values });
    },
  };
}
