import type { Pool } from "pg";
import type { Directory } from "#domain/directory/directory.js";
import type { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import type { HubSpotClock } from "#platform/hubspot/hubspot-clock.js";
import type { FairGate } from "#platform/hubspot/pace/fair-gate.js";
import type { PortalTransport, PortalTransportOptions } from "#platform/hubspot/transport.js";
import type { Logger } from "#platform/observability/logger.js";
import type { PaceNotes } from "#platform/queue/portal-pace.js";
import type { CompletionOptions } from "#worker/completions/send-completions.js";
import type { EntryTimes } from "#worker/flow-entries/stamp-entries.js";
import type { Unenrolling } from "#worker/unenroll/unenroll-tools.js";
import type { PortalTurnOptions } from "./portal-turn-options.js";

/** What draining needs, whichever portal it is. */
export interface DrainOptions {
  pool: Pool;
  directory: Directory;
  logger: Logger;
  gate: FairGate;
  forPortal: (portal: PortalTransportOptions) => PortalTransport;
  /** The clock of send windows, away dates and caps; undefined: the database's. */
  now: (() => Date) | undefined;
  /** How long a call's contact properties are used; by default PROPERTIES_FRESH_MS. */
  propertiesFreshMs?: number | undefined;
  /** How long an attempt that our old copy would refuse waits for the new one; by default RENEWAL_PATIENCE_MS. */
  renewalPatienceMs?: number | undefined;
  hubspotClock: HubSpotClock;
  /** Those of the process. */
  overdueLooks: OverdueLooks;
  /** Done around every attempt: for traces. */
  aroundAttempt?: PortalTurnOptions["aroundAttempt"];
  /** Called for every attempt that ended. */
  onAttempted?: PortalTurnOptions["onAttempted"];
  /** Called with what HubSpot said about completions. */
  onCompletions?: CompletionOptions["onResults"];
  /** Counts outcomes that HubSpot refused before the end of the requested hold. */
  onCutShort?: (holds: number) => void;
  /** How long HubSpot may take to show an enrollment; by default BELIEVE_NONE_AFTER_MS. */
  believeNoneAfterMs?: number | undefined;
  /** How long putting contacts in workflows takes; by default ENTRY_TIMES. */
  entryTimes?: EntryTimes | undefined;
  /** How unenrolling goes; by default in UNENROLL_TIMES. */
  unenrolling?: Unenrolling | undefined;
  /** Requests per window that one portal allows (docs/hubspot.md §6). */
  rateLimit: number;
  /** Shared by the process; by default its own. */
  paces?: PaceNotes;
}
