import { IDLE_INTERVAL_MS } from "#domain/directory/user-list.js";

/** How often each kind of periodic work is done, in ms. */
export const WORK_INTERVALS = {
  /** Portals with something due that nobody woke, and alerts to be sent. */
  sweepMs: 2_000,
  /** Deadlines are days away: finding one passed is not urgent. A look that reads much is taken less often still. */
  overdueMs: 4_000,
  recallMs: 5 * 60_000,
  pruneMs: 15 * 60_000,
  /** A person is watching the progress. */
  bulkMs: 1_000,
  /** Alerts tell of hours and days: a minute's delay is nothing to them. */
  watchMs: 60_000,
  eraseMs: 3_000,
  /** How soon grants that are not used any more are revoked. They are no use to anybody here. */
  revokeMs: 2_000,
  /** How soon a contact that HubSpot erased, and that came up again, is erased again. */
  fatesMs: 20_000,
  /** Accounts at rest. */
  idleMs: IDLE_INTERVAL_MS,
};

export type WorkIntervals = Readonly<typeof WORK_INTERVALS>;
