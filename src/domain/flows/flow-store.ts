import type { CopyOwner } from "#domain/directory/copy-store.js";
import type { ListedFlow } from "#platform/hubspot/gateway.js";
import type { FlowProblem, FlowsReport } from "./flow-state.js";
import { STEP_FIELDS, type FlowStep, type StepField } from "./flow-steps.js";

/** A flow whose steps were read. */
export interface ReadFlow {
  readonly id: string;
  /** What was read, and with which knowledge: see `readAs`. */
  readonly readAs: string;
  readonly steps: readonly FlowStep[];
}

/**
 * Identifies a revision of a flow and which of our actions we knew when it was read: if it differs, the flow is read
 * again.
 */
export function readAs(revisionId: string, fingerprint: string): string {
  return `${revisionId} ${fingerprint}`;
}

/** The columns of a step's fields. */
export const STEP_COLUMNS: Readonly<Record<StepField, string>> = {
  sequenceId: "sequence_id",
  senderMode: "sender_mode",
  senderUserId: "sender_user_id",
  presetId: "preset_id",
  rotationId: "rotation_id",
  ifAlreadyEnrolled: "if_already_enrolled",
};
const COLUMNS = STEP_FIELDS.map((field) => STEP_COLUMNS[field]);

/**
 * Writes a portal's copy of its workflows, as its owner. Each method returns "lost", and has written nothing, once the
 * portal has another owner.
 */
export interface FlowStore {
  /**
   * Stores a page of the list.
   *
   * @returns the ids of those whose steps have to be read.
   */
  saveListed(flows: readonly ListedFlow[], fingerprint: string): Promise<readonly string[] | "lost">;
  /** Replaces the steps that we hold of these flows. */
  saveSteps(flows: readonly ReadFlow[]): Promise<"saved" | "lost">;
  /** Flows that have a step we keep and whose old number is not known. */
  withoutWorkflowId(): Promise<readonly string[]>;
  /** @param workflowIds by flow id. */
  saveWorkflowIds(workflowIds: ReadonlyMap<string, string>): Promise<"saved" | "lost">;
  /** HubSpot lists these and no others: the rest have been deleted. */
  retireOthers(flowIds: readonly string[]): Promise<"saved" | "lost">;
  /** `startedAt`, not the end: a copy requested meanwhile is made after this one. */
  markRead(
    startedAt: Date,
    told: { problem: FlowProblem | null; report: FlowsReport },
  ): Promise<"saved" | "lost">;
  /** A failed attempt: what we had stays, and the next is not before `delayMs` from now. */
  postpone(delayMs: number, told: { problem: FlowProblem; report: FlowsReport }): Promise<"saved" | "lost">;
}

const SAVE_LISTED = (leaseCte: string): string => `
  WITH ${leaseCte}, incoming AS (
    SELECT * FROM unnest($3::text[], $4::text[], $5::boolean[], $6::text[], $7::timestamptz[])
        AS row (flow_id, name, is_enabled, revision_id, changed_at)
  ), written AS (
    INSERT INTO flows AS old (portal_id, flow_id, name, is_enabled, revision_id, changed_at, is_listed, saved_at)
    SELECT lease.portal_id, flow_id, name, is_enabled, revision_id, changed_at, true, now() FROM incoming, lease
    ON CONFLICT (portal_id, flow_id) DO UPDATE
      SET name = excluded.name, is_enabled = excluded.is_enabled, revision_id = excluded.revision_id,
          changed_at = excluded.changed_at, is_listed = true, saved_at = excluded.saved_at
      WHERE (old.name, old.is_enabled, old.revision_id, old.changed_at, old.is_listed)
            IS DISTINCT FROM (excluded.name, excluded.is_enabled, excluded.revision_id, excluded.changed_at, true)
  )
  SELECT EXISTS (SELECT FROM lease) AS is_ours, ARRAY(
    SELECT incoming.flow_id FROM incoming
     WHERE (SELECT steps_read_as FROM flows f WHERE f.portal_id = $1 AND f.flow_id = incoming.flow_id)
           IS DISTINCT FROM incoming.revision_id || ' ' || $8::text) AS unread`;

const SAVE_STEPS = (leaseCte: string): string => `
  WITH ${leaseCte}, incoming AS (
    SELECT given.*, ARRAY(SELECT jsonb_array_elements_text(varying_json)) AS varying
      FROM unnest($5::text[], $6::text[], $7::text[], $8::jsonb[], ${COLUMNS.map((_, index) => `$${index + 9}::text[]`).join(", ")})
        AS given (flow_id, action_id, kind, varying_json, ${COLUMNS.join(", ")})
  ), gone AS (
    DELETE FROM flow_steps s USING lease
     WHERE s.portal_id = lease.portal_id AND s.flow_id = ANY ($3::text[])
       AND NOT EXISTS (SELECT FROM incoming WHERE incoming.flow_id = s.flow_id AND incoming.action_id = s.action_id)
  ), written AS (
    INSERT INTO flow_steps (portal_id, flow_id, action_id, kind, varying, ${COLUMNS.join(", ")})
    SELECT lease.portal_id, flow_id, action_id, kind, varying, ${COLUMNS.join(", ")} FROM incoming, lease
    ON CONFLICT (portal_id, flow_id, action_id) DO UPDATE
      SET kind = excluded.kind, varying = excluded.varying, ${COLUMNS.map((name) => `${name} = excluded.${name}`).join(", ")}
  ), noted AS (
    UPDATE flows f SET steps_read_as = read.read_as
      FROM lease, unnest($3::text[], $4::text[]) AS read (flow_id, read_as)
     WHERE f.portal_id = lease.portal_id AND f.flow_id = ANY ($3::text[]) AND f.flow_id = read.flow_id
  )
  SELECT EXISTS (SELECT FROM lease) AS is_ours`;

const SAVE_WORKFLOW_IDS = (leaseCte: string): string => `
  WITH ${leaseCte}, written AS (
    UPDATE flows f SET workflow_id = mapped.workflow_id
      FROM lease, unnest($3::text[], $4::text[]) AS mapped (flow_id, workflow_id)
     WHERE f.portal_id = lease.portal_id AND f.flow_id = ANY ($3::text[]) AND f.flow_id = mapped.flow_id
  )
  SELECT EXISTS (SELECT FROM lease) AS is_ours`;

const RETIRE_OTHERS = (leaseCte: string): string => `
  WITH ${leaseCte}, written AS (
    UPDATE flows f SET is_listed = false, saved_at = now() FROM lease
     WHERE f.portal_id = lease.portal_id AND f.is_listed
       AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS listed (id) WHERE listed.id = f.flow_id)
  )
  SELECT EXISTS (SELECT FROM lease) AS is_ours`;

/** Flows of which only a name is known are in no call: their old numbers are not asked for. */
const WITHOUT_WORKFLOW_ID = `
  SELECT flow_id FROM flows f
   WHERE portal_id = $1 AND workflow_id IS NULL AND is_listed
     AND EXISTS (SELECT FROM flow_steps s WHERE s.portal_id = f.portal_id AND s.flow_id = f.flow_id
                    AND s.kind NOT LIKE 'NATIVE%')
   ORDER BY flow_id`;

/** The columns that say how a reading went, from $3 on. */
const setPortal = (set: string, leaseCte: string): string => `
  WITH ${leaseCte}, written AS (
    UPDATE portals p SET ${set} FROM lease WHERE p.portal_id = lease.portal_id
  )
  SELECT EXISTS (SELECT FROM lease) AS is_ours`;

interface OwnedRow {
  is_ours: boolean;
  unread?: string[];
}

export function createFlowStore({ pool, portalId, epoch, leaseCte }: CopyOwner): FlowStore {
  async function write(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<OwnedRow | undefined> {
    const { rows } = await pool.query<OwnedRow>({
      name: `flows-${name}`,
      text,
      values: [portalId, epoch, ...values],
    });
    return rows[0]?.is_ours === true ? rows[0] : undefined;
  }

  async function saved(...statement: Parameters<typeof write>): Promise<"saved" | "lost"> {
    return (await write(...statement)) === undefined ? "lost" : "saved";
  }

  return {
    async saveListed(flows, fingerprint) {
      const rows = [...new Map(flows.map((flow) => [flow.id, flow])).values()];
      const values = [
        rows.map(({ id }) => id),
        rows.map(({ name }) => name),
        rows.map(({ isEnabled }) => isEnabled),
        rows.map(({ revisionId }) => revisionId),
        rows.map(({ updatedAt }) => updatedAt ?? null),
        fingerprint,
      ];
      const row = await write("save-listed", SAVE_LISTED(leaseCte), values);
      return row === undefined ? "lost" : (row.unread ?? []);
    },
    saveSteps(flows) {
      const read = [...new Map(flows.map((flow) => [flow.id, flow])).values()];
      const steps = read.flatMap(({ id, steps }) => steps.map((step) => ({ flowId: id, ...step })));
      return saved("save-steps", SAVE_STEPS(leaseCte), [
        read.map(({ id }) => id),
        read.map((flow) => flow.readAs),
        steps.map(({ flowId }) => flowId),
        steps.map(({ actionId }) => actionId),
        steps.map(({ kind }) => kind),
        steps.map(({ varying }) => JSON.stringify(varying)),
        ...STEP_FIELDS.map((field) => steps.map(({ fields }) => fields[field])),
      ]);
    },
    async withoutWorkflowId() {
      const text = WITHOUT_WORKFLOW_ID;
      const { rows } = await pool.query<{ flow_id: string }>({
        name: "flows-without-workflow-id",
        text,
        values: [portalId],
      });
      return rows.map(({ flow_id }) => flow_id);
    },
    saveWorkflowIds: (workflowIds) =>
      saved("save-workflow-ids", SAVE_WORKFLOW_IDS(leaseCte), [
        [...workflowIds.keys()],
        [...workflowIds.values()],
      ]),
    retireOthers: (flowIds) => saved("retire", RETIRE_OTHERS(leaseCte), [flowIds]),
    // A request in the future, by a clock that was set back since, would be repeated again and again.
    markRead: (startedAt, { problem, report }) =>
      saved(
        "mark-read",
        setPortal(
          `flows_read_at = $3, flows_problem = $4, flows_report = $5::jsonb,
           flows_requested_at = CASE WHEN p.flows_requested_at <= now() THEN p.flows_requested_at END`,
          leaseCte,
        ),
        [startedAt, problem, JSON.stringify(report)],
      ),
    postpone: (delayMs, { problem, report }) =>
      saved(
        "postpone",
        setPortal(
          `flows_requested_at = now() + $3 * interval '1 millisecond', flows_problem = $4, flows_report = $5::jsonb`,
          leaseCte,
        ),
        [delayMs, problem, JSON.stringify(report)],
      ),
  };
}
