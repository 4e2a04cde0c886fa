import { randomUUID } from "node:crypto";
import { z } from "zod";
import { MOST_ENTRIES } from "#domain/flow-entries/flow-entry.js";
import { putInWorkflow } from "#domain/flow-entries/put-in-workflow.js";
import { LEGACY_WORKFLOWS_END } from "#platform/hubspot/legacy-workflow-requests.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { endpoint, type AnyEndpoint } from "#web/api/kit/endpoint.js";
import { idParameter } from "#web/api/kit/fields.js";
import { refusal } from "#web/api/kit/problem.js";
import { contactField } from "#domain/enrollments/enrollment-fields.js";

const one = z.strictObject({ contact: contactField });

const body = z.union([one, z.strictObject({ inputs: z.array(one).min(1).max(MOST_ENTRIES) })]);

const resultAnswer = z.object({
  index: z.int().describe("The place of the contact in the request."),
  status: z.literal("ACCEPTED"),
  id: z.string().describe("The same for a contact that is named twice."),
});

/** `POST /workflows/{flowId}/enrollments`: puts contacts in a workflow. @param wake called once a portal has new work. */
export function createEnrollInWorkflow({ wake }: { wake: (portalId: PortalId) => void }): AnyEndpoint {
  return endpoint({
    method: "post",
    path: "/workflows/{flowId}/enrollments",
    operationId: "enrollInWorkflow",
    tag: "Directory",
    scope: "enrollments:write",
    summary: "Put contacts in a workflow",
    description:
      "Answers as soon as the contacts are stored; what becomes of each stands on the page Workflows of the settings. A workflow that our contact property starts is started by it; for every other one HubSpot has only its legacy route, which ends on the day that the header Sunset names.",
    params: z.strictObject({ flowId: idParameter }),
    body,
    answers: {
      202: {
        description: "They are stored, and will be put in.",
        schema: z.object({ results: z.array(resultAnswer) }),
      },
    },
    problems: ["NOT_FOUND"],
    handle: async ({ actor, database: { pool }, params, body: given, afterCommit }) => {
      const rows = "inputs" in given ? given.inputs : [given];
      const outcome = await putInWorkflow(pool, actor, {
        requestId: randomUUID(),
        flowId: params.flowId,
        contacts: rows.map(({ contact }) => contact),
      });
      if (outcome.kind === "not-connected") return refusal("NOT_CONNECTED");
      if (outcome.kind === "unknown-flow")
        return refusal("NOT_FOUND", { detail: "The account has no such workflow, as far as it was read." });
      afterCommit(() => wake(actor.portalId));
      const headers = outcome.isLegacy ? { Sunset: LEGACY_WORKFLOWS_END.toUTCString() } : {};
      const results = outcome.ids.map((id, index) => ({ index, status: "ACCEPTED", id: id.toString() }));
      return { status: 202, headers, body: { results } };
    },
  });
}
