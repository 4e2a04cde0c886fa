import type { Pool } from "pg";
import { findPeopleByIds, type Person } from "#domain/directory/people.js";
import { LEFT_TO_PRESET } from "#domain/contract/actions/enroll-contract.js";
import { canUnenrollSql } from "#domain/unenroll/setup.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { FLOW_PROBLEMS, type FlowProblem } from "./flow-state.js";
import { toStep, userIdOf, type ListedStep, type StepRow } from "./listed-step.js";

/** `deleted`: HubSpot no longer lists it. */
export type FlowSwitch = "on" | "off" | "deleted";

/** A workflow with a step that enrolls, checks, waits or unenrolls. */
export interface KnownFlow {
  readonly flowId: string;
  /** HubSpot's old number, which calls may name instead. */
  readonly workflowId: string | null;
  readonly name: string | null;
  readonly state: FlowSwitch;
  readonly changedAt: Date | null;
  readonly steps: readonly ListedStep[];
}

/** What we know of a portal's workflows. */
export interface FlowList {
  /** Those that are on first, then by name. */
  readonly flows: readonly KnownFlow[];
  /** How many there are in total, also beyond those listed. */
  readonly count: number;
  /** Null: never. */
  readonly readAt: Date | null;
  /** A reading was requested and has not ended. */
  readonly isReading: boolean;
  readonly problem: FlowProblem | null;
  /** HubSpot's words about the problem. */
  readonly message: string | null;
  /** Workflows and steps that could not be read. */
  readonly leftOut: number;
  /** We know HubSpot's numbers of our actions: without them, their steps cannot be told from other apps'. */
  readonly knowsOurSteps: boolean;
}

/** As many as a page can show. */
export const MOST_FLOWS_LISTED = 500;

interface StateRow {
  flows_read_at: Date | null;
  is_reading: boolean;
  flows_problem: string | null;
  message: string | null;
  left_out: number | null;
  knows_our_steps: boolean;
  count: number;
}

const HAS_STEPS =
  "EXISTS (SELECT FROM flow_steps s WHERE s.portal_id = f.portal_id AND s.flow_id = f.flow_id)";

const READ_STATE = `
  SELECT p.flows_read_at, p.flows_problem, p.flows_report ->> 'message' AS message,
         (p.flows_report ->> 'leftOut')::int AS left_out,
         p.status = 'CONNECTED' AND coalesce(p.flows_requested_at > coalesce(p.flows_read_at, '-infinity'), false) AS is_reading,
         EXISTS (SELECT FROM action_types) AS knows_our_steps,
         (SELECT count(*)::int FROM flows f WHERE f.portal_id = p.portal_id AND ${HAS_STEPS}) AS count
    FROM portals p WHERE p.portal_id = $1`;

interface FlowStepRow extends StepRow {
  flow_id: string;
  workflow_id: string | null;
  flow_name: string | null;
  is_enabled: boolean;
  is_listed: boolean;
  changed_at: Date | null;
}

const READ_STEPS = `
  WITH shown AS (
    SELECT f.* FROM flows f WHERE f.portal_id = $1 AND ${HAS_STEPS}
     ORDER BY NOT f.is_listed, NOT f.is_enabled, lower(f.name) COLLATE "C", f.flow_id LIMIT $2
  )
  SELECT f.flow_id, f.workflow_id, f.name AS flow_name, f.is_enabled, f.is_listed, f.changed_at,
         s.action_id, s.kind, s.sequence_id, q.name AS sequence_name,
         s.sequence_id IS NOT NULL AND NOT coalesce(q.is_listed, false)
           AND EXISTS (SELECT FROM sequences any_one WHERE any_one.portal_id = $1) AS is_sequence_gone,
         s.sender_mode, s.sender_user_id, s.preset_id, preset.name AS preset_name,
         preset.policy -> 'fallback' AS fallback, other.name AS fallback_rotation_name,
         s.rotation_id, rotation.name AS rotation_name, s.if_already_enrolled, s.varying,
         CASE WHEN s.kind = 'ENROLL' AND NOT 'senderMode' = ANY (s.varying)
                AND coalesce(s.sender_mode, '${LEFT_TO_PRESET}') = '${LEFT_TO_PRESET}'
                AND preset.policy #>> '{sender,mode}' = 'specific_user' THEN preset.policy #>> '{sender,userId}' END AS preset_user_id,
         s.kind = 'UNENROLL' AND NOT ${canUnenrollSql("$1")} AS cannot_unenroll,
         s.kind = 'ENROLL' AND NOT ${canUnenrollSql("$1")}
           AND coalesce(nullif(s.if_already_enrolled, '${LEFT_TO_PRESET}'), preset.policy ->> 'ifAlreadyEnrolled') = 'replace' AS cannot_replace
    FROM shown f
    JOIN flow_steps s ON s.portal_id = $1 AND s.flow_id = f.flow_id
    LEFT JOIN sequences q ON q.portal_id = $1 AND q.sequence_id = s.sequence_id
    LEFT JOIN presets preset ON preset.portal_id = $1
      AND CASE WHEN s.preset_id IS NULL OR s.preset_id = '${LEFT_TO_PRESET}' THEN preset.is_default ELSE preset.preset_id::text = s.preset_id END
    LEFT JOIN rotations other ON other.portal_id = $1 AND other.rotation_id::text = preset.policy #>> '{fallback,rotationId}'
    LEFT JOIN rotations rotation ON rotation.portal_id = $1 AND rotation.rotation_id::text = s.rotation_id
   ORDER BY NOT f.is_listed, NOT f.is_enabled, lower(f.name) COLLATE "C", f.flow_id, length(s.action_id), s.action_id`;

/** A portal's workflows that have to do with sequences, with the names of what their steps say. */
export async function listFlows(pool: Pool, portalId: PortalId): Promise<FlowList> {
  const state = await pool.query<StateRow>({ name: "flow-list-state", text: READ_STATE, values: [portalId] });
  const steps = await pool.query<FlowStepRow>({
    name: "flow-list",
    text: READ_STEPS,
    values: [portalId, MOST_FLOWS_LISTED],
  });
  const senders = steps.rows
    .flatMap(({ sender_user_id, preset_user_id }) => [sender_user_id, preset_user_id])
    .flatMap((id) => userIdOf(id) ?? []);
  const people = await findPeopleByIds(pool, portalId, [...new Set(senders)]);
  const [row] = state.rows;
  return {
    flows: toFlows(steps.rows, people),
    count: row?.count ?? 0,
    readAt: row?.flows_read_at ?? null,
    isReading: row?.is_reading === true,
    problem: FLOW_PROBLEMS.find((problem) => problem === row?.flows_problem) ?? null,
    message: row?.message ?? null,
    leftOut: row?.left_out ?? 0,
    knowsOurSteps: row?.knows_our_steps === true,
  };
}

function toFlows(rows: readonly FlowStepRow[], people: ReadonlyMap<UserId, Person>): KnownFlow[] {
  const flows = new Map<string, KnownFlow & { steps: ListedStep[] }>();
  for (const row of rows) {
    const flow = flows.get(row.flow_id) ?? { ...toFlow(row), steps: [] };
    flow.steps.push(toStep(row, people));
    flows.set(row.flow_id, flow);
  }
  return [...flows.values()];
}

function toFlow(row: FlowStepRow): Omit<KnownFlow, "steps"> {
  const { flow_id: flowId, workflow_id: workflowId, flow_name: name, changed_at: changedAt } = row;
  const state = !row.is_listed ? "deleted" : row.is_enabled ? "on" : "off";
  return { flowId, workflowId, name, state, changedAt };
}
