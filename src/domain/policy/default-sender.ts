import type { Database } from "#platform/db/client.js";
import { findActivePerson } from "#domain/directory/people.js";
import type { Actor } from "#domain/audit/audit.js";
import { savePortalPolicy } from "./portal-policy-store.js";

export interface DefaultSender {
  userId: bigint | null;
  version: number;
}

export type SaveOutcome =
  | "saved"
  | "unknown-sender" // not a user of this portal, or no longer active
  | "changed-meanwhile"; // another admin saved since the form was shown

/** @param change.version the version the form was filled in from. */
export async function saveDefaultSender(
  database: Pick<Database, "pool" | "prisma">,
  portalId: bigint,
  { userId, version, by }: DefaultSender & { by: Actor },
): Promise<SaveOutcome> {
  if (userId !== null && (await findActivePerson(database.pool, portalId, userId)) === undefined)
    return "unknown-sender";
  const change = { policy: { defaultSenderUserId: userId }, version, by };
  return (await savePortalPolicy(database, portalId, change)) ? "saved" : "changed-meanwhile";
}
