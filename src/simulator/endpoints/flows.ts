import type { z } from "zod";
import { flowCreateSchema, flowPutSchema } from "../flows/flow-requests.js";
import type { Flow } from "../flows/flow-store.js";
import { invalid, NO_CONTENT, notFound, ok, refuse, type Answer } from "../wire/answer.js";
import { textOf } from "../wire/body.js";
import { batchAnswer, batchInputs } from "./batch.js";
import { pageOf, type ApiCall, type ApiRoute } from "./call.js";

const BASE = "/automation/v4/flows";
const MAPPINGS = "/automation/v4/workflow-id-mappings/batch/read";
const FLOWS_MISSING = "Some flows were not found";
const COMMON = { endpoint: "flows", scopes: ["automation"] } as const;

/** Workflows (docs/hubspot.md §10); the one family without a dated path. */
export const FLOW_ROUTES: readonly ApiRoute[] = [
  { ...COMMON, method: "GET", path: BASE, answer: list },
  { ...COMMON, method: "POST", path: BASE, answer: create },
  { ...COMMON, method: "GET", path: `${BASE}/{flowId}`, answer: get },
  { ...COMMON, method: "PUT", path: `${BASE}/{flowId}`, answer: replace },
  { ...COMMON, method: "DELETE", path: `${BASE}/{flowId}`, answer: remove },
  { ...COMMON, method: "POST", path: `${BASE}/batch/read`, answer: batchRead },
  { ...COMMON, method: "POST", path: MAPPINGS, answer: readMappings },
];

function list(call: ApiCall): Answer {
  const { results, ...paging } = pageOf(call.portal.flows.all(), {
    call,
    path: BASE,
    idOf: ({ id }) => id,
    defaultLimit: 100,
  });
  return ok({ results: results.map(listing), ...paging });
}

function listing(flow: Flow): Record<string, unknown> {
  const { id, name, isEnabled, flowType, objectTypeId, revisionId, createdAt, updatedAt } = flow;
  return { id, name, isEnabled, flowType, objectTypeId, revisionId, createdAt, updatedAt };
}

function flowOf({ portal, params }: ApiCall): Flow | undefined {
  return portal.flows.find(params["flowId"] ?? "");
}

function unknownFlow({ params }: ApiCall): Answer {
  return notFound(`Flow ${params["flowId"] ?? ""} was not found`);
}

function get(call: ApiCall): Answer {
  const flow = flowOf(call);
  return flow === undefined ? unknownFlow(call) : ok(flow);
}

function create(call: ApiCall): Answer {
  const request = flowCreateSchema.safeParse(call.body);
  if (!request.success) return malformed(request.error);
  const flow = call.portal.flows.create(request.data, call.nowMs);
  return { status: 201, body: flow };
}

function replace(call: ApiCall): Answer {
  const flow = flowOf(call);
  if (flow === undefined) return unknownFlow(call);
  const request = flowPutSchema.safeParse(call.body);
  if (!request.success) return malformed(request.error);
  if (flow.crmObjectCreationStatus !== "COMPLETE")
    return refuse(409, { category: "CONFLICT", message: "The flow is still being created" });
  if (request.data.revisionId !== flow.revisionId)
    return refuse(409, { category: "CONFLICT", message: `The flow is at revision ${flow.revisionId}` });
  return ok(call.portal.flows.replace(flow, request.data, call.nowMs));
}

function remove(call: ApiCall): Answer {
  return call.portal.flows.remove(call.params["flowId"] ?? "") ? NO_CONTENT : unknownFlow(call);
}

function malformed(error: z.ZodError): Answer {
  const [issue] = error.issues;
  return invalid(`Invalid input JSON: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
}

function batchRead({ portal, body, nowMs }: ApiCall): Answer {
  const inputs = batchInputs(body);
  if ("status" in inputs) return inputs;
  const ids = inputs.map((input) => textOf(input, "flowId") ?? "");
  const results = ids.map((id) => portal.flows.find(id)).filter((flow) => flow !== undefined);
  const missing = ids.filter((id) => portal.flows.find(id) === undefined);
  return batchAnswer({ results, missing, message: FLOWS_MISSING, nowMs });
}

/** Which legacy number each flow has, asked for by either. */
function readMappings({ portal, body, nowMs }: ApiCall): Answer {
  const inputs = batchInputs(body);
  if ("status" in inputs) return inputs;
  const results: Record<string, number>[] = [];
  const missing: string[] = [];
  for (const input of inputs) {
    const [flowId, workflowId] = [textOf(input, "flowId"), textOf(input, "workflowId")];
    const flow =
      flowId === undefined ? portal.flows.findByLegacyId(workflowId ?? "") : portal.flows.find(flowId);
    if (flow === undefined) missing.push(flowId ?? workflowId ?? "");
    else results.push({ flowId: Number(flow.id), workflowId: portal.flows.legacyIdOf(flow.id) });
  }
  return batchAnswer({ results, missing, message: FLOWS_MISSING, nowMs });
}
