import { z } from "zod";
import type { AnswerReader } from "./answer-reader.js";
import type { PortalTransport } from "./transport.js";

/**
 * HubSpot's legacy way to put a contact in a workflow, and the only way if no property triggers the workflow. HubSpot
 * supports it until September 2027, without naming a day; everything that depends on it is in this file.
 */
export const LEGACY_WORKFLOWS_END = new Date("2027-09-01T00:00:00Z");

const PATH = "/automation/v2/workflows";

const currentEnrollments = z
  .array(z.looseObject({ id: z.union([z.string(), z.number()]).transform(String) }))
  .catch([]);

/** Contact workflows by their old numbers (`readWorkflowIds`). Scope `automation`. */
export interface LegacyWorkflowRequests {
  /** No key keeps a repeated request from counting twice: after HubSpotUnavailable, read first. */
  putInWorkflow(request: { workflowId: string; email: string }): Promise<void>;
  /** The old numbers of the workflows that a contact is in now; also empty if HubSpot's answer has another form. */
  readWorkflowsOfContact(contactId: string): Promise<readonly string[]>;
}

export function legacyWorkflowRequests(
  call: PortalTransport,
  { read }: AnswerReader,
): LegacyWorkflowRequests {
  return {
    async putInWorkflow({ workflowId, email }) {
      const contact = encodeURIComponent(email);
      const path = `${PATH}/${encodeURIComponent(workflowId)}/enrollments/contacts/${contact}`;
      await call({ method: "POST", path });
    },
    async readWorkflowsOfContact(contactId) {
      const path = `${PATH}/enrollments/contacts/${encodeURIComponent(contactId)}`;
      return (await read({ method: "GET", path }, currentEnrollments)).map(({ id }) => id);
    },
  };
}
