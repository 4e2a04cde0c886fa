import { wakeWaiters } from "../../executions/resume.js";
import type { SettingsOptions } from "../site-options.js";

/** After an admin changed who may send, or how much: contacts that wait for a sender are looked at again at once. */
export async function lookAgain(
  { database, wake }: Pick<SettingsOptions, "database" | "wake">,
  portalId: bigint,
): Promise<void> {
  await wakeWaiters(database.pool, portalId);
  wake(portalId);
}
