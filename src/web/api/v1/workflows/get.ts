import { z } from "zod";
import { listFlows, MOST_FLOWS_LISTED, type KnownFlow } from "#domain/flows/list-flows.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { pageSchema, timeField } from "#web/api/kit/fields.js";

const thing = z.object({ id: z.string(), name: z.string().nullable() }).nullable();

const workflowAnswer = z.object({
  id: z.string().describe("HubSpot's id of the flow."),
  workflowId: z.string().nullable().describe("HubSpot's old number of the workflow, which calls may name."),
  name: z.string().nullable(),
  status: z.enum(["on", "off", "deleted"]),
  updatedAt: timeField.nullable(),
  steps: z
    .array(
      z.object({
        id: z.string(),
        kind: z.string(),
        sequence: thing,
        sender: thing,
        preset: thing,
        rotation: thing,
        warnings: z.array(z.string()),
      }),
    )
    .describe("Those that enroll, check, wait or unenroll."),
});

/** `GET /workflows`: those that use the app's actions. */
export function createListWorkflows(): AnyEndpoint {
  return endpoint({
    method: "get",
    path: "/workflows",
    operationId: "listWorkflows",
    tag: "Directory",
    scope: "enrollments:read",
    summary: "List the workflows that use the app's actions",
    description: `Those that are on first, then by name; ${MOST_FLOWS_LISTED} at most. As HubSpot showed them at the last reading.`,
    answers: { 200: { description: "The workflows.", schema: pageSchema(workflowAnswer) } },
    handle: async ({ actor, database }) => {
      const { flows } = await listFlows(database.pool, actor.portalId);
      return { status: 200, body: { results: flows.map(shown) } };
    },
  });
}

function shown({ flowId: id, workflowId, name, state: status, changedAt, steps }: KnownFlow) {
  return {
    id,
    workflowId,
    name,
    status,
    updatedAt: changedAt?.toISOString() ?? null,
    steps: steps.map(({ actionId, kind, sequence, sender, preset, rotation, warnings }) => ({
      id: actionId,
      kind,
      sequence,
      sender,
      preset,
      rotation,
      warnings,
    })),
  };
}
