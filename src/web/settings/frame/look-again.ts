import { wakeWaiters } from "#domain/executions/resume.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import type { SettingsOptions } from "../session/site-options.js";

/**
 * After an admin changed who may send, or how much: contacts that wait for a sender are looked at again, all of them
 * or those that the one sender concerned was considered for. The page waits for the first two thousand only.
 */
export async function lookAgain(
  { database, wake, finishLater }: Pick<SettingsOptions, "database" | "wake" | "finishLater">,
  portalId: PortalId,
  userId?: UserId,
): Promise<void> {
  const rest = await wakeWaiters(database.pool, portalId, userId)();
  if (rest !== undefined) finishLater(portalId, rest);
  wake(portalId);
}
