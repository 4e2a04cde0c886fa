import { query } from "../../test/support/sql.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { SimulatedEnrollment } from "../../src/simulator/portal/model.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";

/** Above what any run sends: a cap of 0 in the options. */
const UNCAPPED = 1_000_000;

/** Gives every sender of an installed portal the cap, with contacts beyond it refused at once. */
export async function capSenders(databaseUrl: string, portal: SimulatedPortal, cap: number): Promise<void> {
  const fallback = { ...INITIAL_POLICY.fallback, whenNobody: "fail" };
  const userIds = [...portal.users.keys()].join(",");
  await query(
    databaseUrl,
    `INSERT INTO senders (portal_id, user_id, daily_cap, window_days)
     SELECT ${portal.portalId}, id, ${cap === 0 ? UNCAPPED : cap}, '{}' FROM unnest(ARRAY[${userIds}]::bigint[]) AS id`,
  );
  await query(
    databaseUrl,
    `INSERT INTO presets (portal_id, name, policy, is_default)
     VALUES (${portal.portalId}, 'Chaos', '${JSON.stringify({ ...INITIAL_POLICY, fallback })}', true)`,
  );
}

/** Enrollments beyond the cap, over all senders. A run is far shorter than a day, so all of them count. */
export function overCap(enrollments: readonly SimulatedEnrollment[], cap: number): number {
  if (cap === 0) return 0;
  const sent = new Map<number, number>();
  for (const { userId } of enrollments) sent.set(userId, (sent.get(userId) ?? 0) + 1);
  return [...sent.values()].reduce((sum, count) => sum + Math.max(0, count - cap), 0);
}
