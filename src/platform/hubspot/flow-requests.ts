import type { AnswerReader } from "./answer-reader.js";
import { flowAction, listedFlow, wholeFlow, workflowIdMapping } from "./wire/flow-records.js";
import type { Flow, ListedFlow } from "./wire/flow-records.js";
import { anyBatch, readEach, type HubSpotPage } from "./wire/list-page.js";
import { paths } from "./wire/paths.js";
import { identified } from "./wire/records.js";

/** Workflows a page, and in a batch. */
export const FLOWS_AT_ONCE = 100;

/** Reads a portal's workflows; they belong to people, and the app changes none. Scope `automation`. */
export interface FlowRequests {
  listFlows(request: { after?: string | undefined }): Promise<HubSpotPage<ListedFlow>>;
  /**
   * Up to FLOWS_AT_ONCE workflows with their steps. One that is neither read nor left out is gone.
   *
   * @returns also the ids of those in a form that we do not know; undefined for one without a usable id.
   */
  readFlows(flowIds: readonly string[]): Promise<{ results: Flow[]; leftOut: (string | undefined)[] }>;
  /** HubSpot's old numbers of up to FLOWS_AT_ONCE workflows, by flow id; without those that have none. */
  readWorkflowIds(flowIds: readonly string[]): Promise<Map<string, string>>;
}

const inputsOf = (flowIds: readonly string[]) => ({
  inputs: flowIds.map((flowId) => ({ type: "FLOW_ID", flowId })),
});

export function flowRequests({ read, page }: AnswerReader): FlowRequests {
  return {
    listFlows: ({ after }) => {
      const query = { limit: String(FLOWS_AT_ONCE), after };
      return page({ method: "GET", path: paths.flows, query }, listedFlow);
    },
    async readFlows(flowIds) {
      const request = { method: "POST", path: paths.flowBatch, body: inputsOf(flowIds) } as const;
      const { results } = await read(request, anyBatch);
      const { read: found, odd } = readEach(results, wholeFlow);
      return {
        results: found.map(toFlow),
        leftOut: odd.map((entry) => identified.safeParse(entry).data?.id),
      };
    },
    async readWorkflowIds(flowIds) {
      const request = { method: "POST", path: paths.workflowIdBatch, body: inputsOf(flowIds) } as const;
      const { results } = await read(request, anyBatch);
      const { read: found } = readEach(results, workflowIdMapping);
      return new Map(found.map(({ flowId, workflowId }) => [flowId, workflowId]));
    },
  };
}

/** Whether an entry of a flow claims to be a step of some type: branches do not. */
function namesType(entry: unknown): boolean {
  return typeof entry === "object" && entry !== null && "actionTypeId" in entry;
}

function toFlow({ id, revisionId, actions }: { id: string; revisionId: string; actions: unknown[] }): Flow {
  const { read, odd } = readEach(actions.filter(namesType), flowAction);
  return { id, revisionId, actions: read, oddActions: odd.length };
}
