import type { Pool } from "pg";

/** The name of HubSpot's own outages, next to the codes of our faults. */
const OUTAGE = "HUBSPOT";

/** How many connected portals cannot work, by cause: HUBSPOT, or the code of our own fault. */
export async function countStoppedPortals(pool: Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ cause: string; portals: number }>({
    name: "count-stopped-portals",
    text: `SELECT coalesce(circuit_cause, $1) AS cause, count(*)::int AS portals
             FROM portal_drains JOIN portals USING (portal_id)
            WHERE circuit_trips > 0 AND status = 'CONNECTED' GROUP BY 1`,
    values: [OUTAGE],
  });
  return new Map(rows.map(({ cause, portals }) => [cause, portals]));
}

/** What is wrong with our own setup, in a sentence that anyone may read; undefined: nothing. */
export async function ownFaultOf(pool: Pool): Promise<string | undefined> {
  const causes = [...(await countStoppedPortals(pool)).keys()].filter((cause) => cause !== OUTAGE);
  if (causes.length === 0) return undefined;
  return `Accounts cannot work because of a fault in this app (${causes.sort().join(", ")}); the log says which.`;
}
