import { invalid, notFound, ok, type Answer } from "../wire/answer.js";
import { isRecord, textOf } from "../wire/body.js";
import type { Flow } from "../portal/flows.js";
import { pageOf, type ApiCall, type ApiRoute } from "./call.js";

const BASE = "/automation/v4/flows";
const SCOPES = ["automation"];

/** Reading workflows (docs/hubspot.md §10); the one family without a dated path. */
export const FLOW_ROUTES: readonly ApiRoute[] = [
  { method: "GET", path: BASE, endpoint: "flows", scopes: SCOPES, answer: list },
  { method: "GET", path: `${BASE}/{flowId}`, endpoint: "flows", scopes: SCOPES, answer: get },
  { method: "POST", path: `${BASE}/batch/read`, endpoint: "flows", scopes: SCOPES, answer: batchRead },
];

function list(call: ApiCall): Answer {
  const { results, ...paging } = pageOf(call.portal.flows, {
    call,
    path: BASE,
    idOf: ({ id }) => id,
    defaultLimit: 100,
  });
  return ok({ results: results.map(listing), ...paging });
}

function listing({
  id,
  name,
  isEnabled,
  flowType,
  objectTypeId,
  revisionId,
  createdAt,
  updatedAt,
}: Flow): Record<string, unknown> {
  return { id, name, isEnabled, flowType, objectTypeId, revisionId, createdAt, updatedAt };
}

function get({ portal, params }: ApiCall): Answer {
  const flowId = params["flowId"] ?? "";
  const flow = portal.flows.find(({ id }) => id === flowId);
  return flow === undefined ? notFound(`Flow ${flowId} was not found`) : ok(flow);
}

function batchRead({ portal, body, nowMs }: ApiCall): Answer {
  const inputs = isRecord(body) ? body["inputs"] : undefined;
  if (!Array.isArray(inputs)) return invalid("Some required fields were not set: [inputs]");
  if (inputs.length > 100) return invalid("A batch may hold at most 100 inputs");
  const ids = inputs.filter(isRecord).map((input) => textOf(input, "flowId") ?? "");
  const results = portal.flows.filter(({ id }) => ids.includes(id));
  const missing = ids.filter((id) => !portal.flows.some((flow) => flow.id === id));
  const at = new Date(nowMs).toISOString();
  const summary = { status: "COMPLETE", results, startedAt: at, completedAt: at };
  if (missing.length === 0) return ok(summary);
  const error = {
    status: "error",
    category: "OBJECT_NOT_FOUND",
    message: "Some flows were not found",
    context: { ids: missing },
    errors: [],
    links: {},
  };
  return { status: 207, body: { ...summary, numErrors: 1, errors: [error] } };
}
