import { wakeWaiters } from "../../executions/resume.js";
import type { SettingsOptions } from "../site-options.js";

/**
 * After an admin changed who may send, or how much: contacts that wait for a sender are looked at again, all of them
 * or those that the one sender concerned was considered for.
 */
export async function lookAgain(
  { database, wake }: Pick<SettingsOptions, "database" | "wake">,
  portalId: bigint,
  userId?: bigint,
): Promise<void> {
  await wakeWaiters(database.pool, portalId, userId);
  wake(portalId);
}
