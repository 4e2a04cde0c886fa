import type { Prisma } from "#platform/db/generated/client.js";

/**
 * What both ways of setting the defaults lock, in this order: the settings row, created if missing, then all presets by
 * id. Two concurrent changes wait for each other here, instead of violating the index that allows one default or
 * overwriting each other unseen. `$1` is the portal.
 */
export const LOCK_DEFAULTS = [
  "INSERT INTO portal_settings (portal_id) VALUES ($1) ON CONFLICT DO NOTHING",
  "SELECT 1 AS held FROM portal_settings WHERE portal_id = $1 FOR UPDATE",
  "SELECT 1 AS held FROM presets WHERE portal_id = $1 ORDER BY preset_id FOR UPDATE",
] as const;

/** The same in a transaction of Prisma's. */
export async function lockDefaults(transaction: Prisma.TransactionClient, portalId: bigint): Promise<void> {
  for (const statement of LOCK_DEFAULTS) await transaction.$executeRawUnsafe(statement, portalId);
}
