import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { findEndedPauses, setPaused } from "#domain/accounts/portal-pause.js";

/** Resumes the accounts whose pause was to end by now. */
export async function endPauses({
  pool,
  wake,
}: {
  readonly pool: Pool;
  readonly wake: (portalId: PortalId) => void;
}): Promise<void> {
  for (const portalId of await findEndedPauses(pool)) {
    await setPaused(pool, { kind: "system", part: "worker", portalId }, false);
    wake(portalId);
  }
}
