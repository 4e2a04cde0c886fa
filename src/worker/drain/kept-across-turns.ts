import { AbsentMembers } from "#domain/directory/absent-members.js";
import { createPolicyMemories, type PolicyMemory } from "#domain/senders/stored/policy-memory.js";
import { Openings } from "#domain/senders/windows/openings.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { PaceNotes } from "#platform/queue/portal-pace.js";
import { createBreather, type Breathe } from "#platform/time/breather.js";
import { createReadAhead, type ReadAheadContacts } from "#worker/attempt/contact-properties.js";
import { CopyRenewals } from "#worker/renewal/renew-copies.js";
import type { DrainOptions } from "./drain-options.js";
import { createTurnStarts, type TurnStart } from "./turn-start.js";

/** What a process keeps of its portals from turn to turn. */
export interface KeptAcrossTurns {
  readonly startOf: (portalId: PortalId) => Promise<TurnStart>;
  readonly renewals: CopyRenewals;
  readonly openings: Openings;
  readonly breathe: Breathe;
  readonly memoryOf: (portalId: PortalId) => PolicyMemory;
  readonly ahead: ReadAheadContacts;
  readonly absent: AbsentMembers;
  readonly paces: PaceNotes;
}

export function keepAcrossTurns({
  pool,
  directory,
  logger,
  paces = new PaceNotes(pool),
}: DrainOptions): KeptAcrossTurns {
  return {
    startOf: createTurnStarts(pool),
    renewals: new CopyRenewals({ directory, logger }),
    openings: new Openings(),
    breathe: createBreather(),
    memoryOf: createPolicyMemories(),
    ahead: createReadAhead(),
    absent: new AbsentMembers(),
    paces,
  };
}
