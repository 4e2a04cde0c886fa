import { invalid, NO_CONTENT, notFound, ok, type Answer } from "../wire/answer.js";
import type { ApiCall, ApiRoute } from "./call.js";

const CURRENT = "/automation/v2/workflows/enrollments/contacts/{contactId}";
const PATH = "/automation/v2/workflows/{workflowId}/enrollments/contacts/{email}";

/**
 * HubSpot's legacy way to put a contact in a workflow, by the legacy number of the workflow and the contact's email
 * address (docs/hubspot.md §10). HubSpot supports it until September 2027.
 */
export const WORKFLOW_ENROLLMENT_ROUTES: readonly ApiRoute[] = [
  { method: "POST", path: PATH, endpoint: "workflow-enrollments", scopes: ["automation"], answer: enroll },
  { method: "GET", path: CURRENT, endpoint: "workflow-enrollments", scopes: ["automation"], answer: current },
];

/** The workflows that a contact is in now. */
function current({ portal, params }: ApiCall): Answer {
  const flowIds = portal.flowRunner.flowsOf(params["contactId"] ?? "");
  return ok(flowIds.map((id) => ({ id: portal.flows.legacyIdOf(id), name: portal.flows.find(id)?.name })));
}

function enroll({ portal, params }: ApiCall): Answer {
  const flow = portal.flows.findByLegacyId(params["workflowId"] ?? "");
  if (flow === undefined) return notFound(`No workflow ${params["workflowId"] ?? ""}`);
  const email = (params["email"] ?? "").toLowerCase();
  const contact = [...portal.contacts.values()].find(
    ({ properties }) => properties["email"]?.toLowerCase() === email,
  );
  if (contact === undefined) return notFound(`No contact with the email ${email}`);
  if (!flow.isEnabled) return invalid("The workflow is turned off");
  // HubSpot answers alike whether the workflow takes the contact or has had it.
  portal.flowRunner.enter(flow, contact.id);
  return NO_CONTENT;
}
