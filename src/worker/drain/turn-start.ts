import type { Pool } from "pg";
import {
  DIRECTORY_STATE,
  toDirectoryState,
  type DirectoryState,
  type DirectoryStateRow,
} from "#domain/directory/directory-state.js";
import { recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import { doubtCompletions } from "#domain/executions/completions.js";
import { areLooksDue } from "#domain/ends/open-enrollments.js";
import { FLOWS_STATE, toFlowsState, type FlowsState, type FlowsStateRow } from "#domain/flows/flow-state.js";
import { NEXT_FLOW_ENTRY } from "#domain/flow-entries/flow-entry.js";
import { NEXT_MADE_FLOW } from "#domain/ready-made/made-flow.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { gather } from "#platform/time/gather.js";

/** What an owner has to know of its portal before it works. */
export interface TurnStart {
  readonly isConnected: boolean;
  /** undefined: the account is gone. */
  readonly directory: DirectoryState | undefined;
  /** The same of its workflows. */
  readonly flows: FlowsState | undefined;
  /** The epoch of the oldest claim that is still open; undefined: nothing is claimed. */
  readonly oldestClaim: bigint | undefined;
  /** Whether an execution in doubt is due to be read. */
  readonly areDoubtsDue: boolean;
  /** Whether the account has switched unenrolling on, or is switching it off. */
  readonly hasUnenroll: boolean;
  /** Whether a workflow is to be made or deleted, or contacts are to be put in one. */
  readonly hasFlowWork: boolean;
  /** Whether followed enrollments are to be looked at, and a request may be spent on it. */
  readonly areEnrollmentLooksDue: boolean;
}

interface TurnStartRow extends DirectoryStateRow, FlowsStateRow {
  portal_id: string;
  /** null: there is no such account. */
  status: string | null;
  oldest_claim: string | null;
  are_doubts_due: boolean | null;
  has_unenroll: boolean;
  has_flow_work: boolean;
  are_enrollment_looks_due: boolean | null;
}

/** `min`: one look into the index of each state for each portal, as in findDuePortals. */
const READ = `
  SELECT asked.portal_id, p.status, ${DIRECTORY_STATE}, ${FLOWS_STATE},
         (SELECT min(e.epoch) FROM executions e
           WHERE e.portal_id = asked.portal_id AND e.state IN ('ATTEMPTING', 'UNCERTAIN') AND e.epoch IS NOT NULL) AS oldest_claim,
         (SELECT min(e.due_at) FROM executions e
           WHERE e.portal_id = asked.portal_id AND e.state = 'UNCERTAIN') <= now() AS are_doubts_due,
         EXISTS (SELECT FROM unenroll_setups s WHERE s.portal_id = asked.portal_id) AS has_unenroll,
         ${NEXT_MADE_FLOW} IS NOT NULL OR ${NEXT_FLOW_ENTRY} IS NOT NULL AS has_flow_work,
         ${areLooksDue("asked.portal_id")} AS are_enrollment_looks_due
    FROM unnest($1::bigint[]) AS asked (portal_id) LEFT JOIN portals p USING (portal_id)`;

/** Turns that begin within this time of each other share the statement: portals are fetched by tens. */
const GATHER_MS = 2;

/**
 * Creates the function that reads a portal's start. Called by an owner that has acquired the portal: what earlier
 * owners claimed is in it then, all of it. Acquiring waits for each of their statements that found the lease in force,
 * and those that come later have no effect.
 */
export function createTurnStarts(pool: Pool): (portalId: PortalId) => Promise<TurnStart> {
  return gather({ ms: GATHER_MS, isConcurrent: true, run: (portalIds) => readTurnStarts(pool, portalIds) });
}

/** @returns the start of each portal, in the order asked. */
export async function readTurnStarts(pool: Pool, portalIds: readonly PortalId[]): Promise<TurnStart[]> {
  const { rows } = await pool.query<TurnStartRow>({
    name: "read-turn-starts",
    text: READ,
    values: [portalIds],
  });
  const starts = new Map(rows.map((row) => [BigInt(row.portal_id), toTurnStart(row)]));
  return portalIds.map((portalId) => starts.get(portalId) as TurnStart);
}

function toTurnStart(row: TurnStartRow): TurnStart {
  return {
    isConnected: row.status === "CONNECTED",
    directory: row.status === null ? undefined : toDirectoryState(row),
    flows: row.status === null ? undefined : toFlowsState(row),
    oldestClaim: row.oldest_claim === null ? undefined : BigInt(row.oldest_claim),
    areDoubtsDue: row.are_doubts_due === true,
    hasUnenroll: row.has_unenroll,
    hasFlowWork: row.has_flow_work,
    areEnrollmentLooksDue: row.are_enrollment_looks_due === true,
  };
}

/**
 * Makes due again what earlier owners left behind. Even an owner that handed over in an orderly way may have left
 * claims whose end it could not store; as a rule there are none, and the start shows whether there are.
 */
export async function takeOver(
  owner: Ownership,
  { startOf, hasCrashed }: { startOf: (portalId: PortalId) => Promise<TurnStart>; hasCrashed: boolean },
): Promise<TurnStart> {
  const [start] = await Promise.all([
    startOf(owner.portalId),
    hasCrashed ? recoverAttempts(owner, { isCrash: true }) : undefined,
    hasCrashed ? doubtCompletions(owner) : undefined,
  ]);
  const isLeftBehind = start.oldestClaim !== undefined && start.oldestClaim < owner.epoch;
  if (isLeftBehind && !hasCrashed) await recoverAttempts(owner, { isCrash: false });
  return { ...start, areDoubtsDue: start.areDoubtsDue || hasCrashed || isLeftBehind };
}
