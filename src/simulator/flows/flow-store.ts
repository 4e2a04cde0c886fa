import type { FlowAction, FlowCreate, FlowPut } from "./flow-requests.js";

/** A workflow as the flows API shows it (docs/hubspot.md §10). */
export type Flow = FlowCreate & {
  readonly id: string;
  readonly revisionId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly nextAvailableActionId: string;
  readonly crmObjectCreationStatus: "COMPLETE" | "PENDING";
};

/** The old numbers of workflows, which HubSpot's legacy routes want, are others than those of flows. */
const LEGACY_OFFSET = 71_000_000;
const MOST_FLOWS = 1_000;

/** The workflows of one account, by their flow id. */
export class FlowStore {
  readonly #flows = new Map<string, Flow>();
  readonly #portalId: number;
  #made = 0;

  constructor(portalId: number) {
    this.#portalId = portalId;
  }

  /** Ordered by id, as the list shows them. */
  all(): readonly Flow[] {
    return [...this.#flows.values()];
  }

  find(flowId: string): Flow | undefined {
    return this.#flows.get(flowId);
  }

  create(request: FlowCreate, nowMs: number): Flow {
    this.#made += 1;
    const at = new Date(nowMs).toISOString();
    const flow: Flow = {
      ...request,
      id: String(this.#portalId * MOST_FLOWS + this.#made),
      revisionId: "1",
      createdAt: at,
      updatedAt: at,
      nextAvailableActionId: nextActionId(request.actions),
      crmObjectCreationStatus: "COMPLETE",
    };
    this.#flows.set(flow.id, flow);
    return flow;
  }

  /** What the body leaves out is gone, the enrollment trigger too: a replace is never a patch. */
  replace(flow: Flow, { revisionId, ...request }: FlowPut, nowMs: number): Flow {
    const { id, flowType, objectTypeId, dataSources, createdAt, crmObjectCreationStatus } = flow;
    const replaced: Flow = {
      ...request,
      id,
      flowType,
      objectTypeId,
      dataSources,
      createdAt,
      crmObjectCreationStatus,
      revisionId: String(Number(revisionId) + 1),
      updatedAt: new Date(nowMs).toISOString(),
      nextAvailableActionId: nextActionId(request.actions),
    };
    this.#flows.set(id, replaced);
    return replaced;
  }

  remove(flowId: string): boolean {
    return this.#flows.delete(flowId);
  }

  /** The number that the legacy routes know a flow by. */
  legacyIdOf(flowId: string): number {
    return LEGACY_OFFSET + (Number(flowId) % MOST_FLOWS);
  }

  findByLegacyId(workflowId: string): Flow | undefined {
    return this.#flows.get(String(this.#portalId * MOST_FLOWS + Number(workflowId) - LEGACY_OFFSET));
  }
}

function nextActionId(actions: readonly FlowAction[]): string {
  return String(Math.max(0, ...actions.map(({ actionId }) => Number(actionId) || 0)) + 1);
}
