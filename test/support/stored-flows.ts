import type { Pool } from "pg";

/** A step as the copy of workflows holds it. */
interface StoredStep {
  readonly kind?: string;
  readonly sequenceId?: string;
  readonly senderMode?: string;
  readonly senderUserId?: bigint;
  readonly presetId?: bigint;
  readonly rotationId?: bigint;
  readonly ifAlreadyEnrolled?: string;
  readonly varying?: readonly string[];
}

export interface StoredFlow {
  readonly flowId: string;
  readonly name?: string | null;
  readonly workflowId?: string;
  readonly isEnabled?: boolean;
  readonly isListed?: boolean;
  readonly steps?: readonly StoredStep[];
}

/** Puts a workflow into the copy, as if it had been read from HubSpot just now. */
export async function storeFlow(pool: Pool, portalId: bigint, flow: StoredFlow): Promise<void> {
  const {
    flowId,
    name = `Flow ${flowId}`,
    workflowId = null,
    isEnabled = true,
    isListed = true,
    steps = [],
  } = flow;
  await pool.query(
    `INSERT INTO flows (portal_id, flow_id, name, workflow_id, is_enabled, revision_id, is_listed) VALUES ($1, $2, $3, $4, $5, '1', $6)`,
    [portalId, flowId, name, workflowId, isEnabled, isListed],
  );
  for (const [index, step] of steps.entries())
    await pool.query(
      `INSERT INTO flow_steps (portal_id, flow_id, action_id, kind, sequence_id, sender_mode, sender_user_id, preset_id,
                               rotation_id, if_already_enrolled, varying)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        portalId,
        flowId,
        String(index + 1),
        step.kind ?? "ENROLL",
        step.sequenceId ?? null,
        step.senderMode ?? null,
        step.senderUserId?.toString() ?? null,
        step.presetId?.toString() ?? null,
        step.rotationId?.toString() ?? null,
        step.ifAlreadyEnrolled ?? null,
        step.varying ?? [],
      ],
    );
  await pool.query(
    "UPDATE portals SET flows_read_at = now(), flows_requested_at = NULL WHERE portal_id = $1",
    [portalId],
  );
}
