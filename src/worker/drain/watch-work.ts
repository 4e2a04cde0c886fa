import type { Ownership } from "#domain/executions/claim.js";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import type { Logger } from "#platform/observability/logger.js";
import type { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { pollWatched } from "#worker/watch/watch-poll.js";
import type { RetryingWriter } from "#worker/writes/retrying-writer.js";
import type { SidePoll } from "./side-work.js";

/**
 * Shares of the request window for looks at followed enrollments: the smallest of all. While contacts wait to be
 * enrolled they get what the directory's reserve leaves; otherwise a twentieth.
 */
const FOLLOWED_SHARE = { amongOthers: 0.01, alone: 0.05 };

export interface WatchWorkOptions {
  owner: Ownership;
  budget: RequestBudget;
  circuit: Pick<PortalCircuit, "isProbing">;
  writer: RetryingWriter;
  mayGoOn: () => boolean;
  logger: Logger;
  /** True if the portal was just seen to have followed enrollments to look at, and its budget a request for them. */
  areEnrollmentLooksDue?: boolean | undefined;
}

/** A turn's looks at contacts that wait in sequences; and one look at followed enrollments, in its first step. */
export function watchWork(options: WatchWorkOptions): SidePoll {
  const { owner, budget, circuit, writer, mayGoOn, logger } = options;
  // One request a turn: what it cost is earned back before another turn makes one (domain/ends).
  let mayFollow = options.areEnrollmentLooksDue === true;
  return (gateway, isAlone) => {
    const share = isAlone ? FOLLOWED_SHARE.alone : FOLLOWED_SHARE.amongOthers;
    const restMsPerRequest = budget.windowMs / Math.max(1, budget.limit * share);
    // Nobody waits for these: the request that shows whether HubSpot is back is for someone who does.
    const followed = mayFollow && !circuit.isProbing ? { restMsPerRequest } : undefined;
    mayFollow = false;
    return pollWatched(owner, { gateway, writer, mayGoOn, followed, logger });
  };
}
