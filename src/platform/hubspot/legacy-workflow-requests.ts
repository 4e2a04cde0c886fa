import { z } from "zod";
import type { AnswerReader } from "./answer-reader.js";
import type { PortalTransport } from "./transport.js";

/**
 * HubSpot's legacy way to put a contact in a workflow, the only one there is for a workflow that no property triggers.
 * HubSpot supports it until September 2027 and names no day; everything that depends on it is in this file.
 */
export const LEGACY_WORKFLOWS_END = new Date("2027-09-01T00:00:00Z");

const PATH = "/automation/v2/workflows";

const currentEnrollments = z
  .array(z.looseObject({ id: z.union([z.string(), z.number()]).transform(String) }))
  .catch([]);

/** Contact workflows by their old numbers (`readWorkflowIds`). Scope `automation`. */
export interface LegacyWorkflowRequests {
  /** Without a key that would keep a repeated one from counting twice: after HubSpotUnavailable, read first. */
  putInWorkflow(request: { workflowId: string; email: string }): Promise<void>;
  /** The old numbers of the workflows that a contact is in now; empty also if HubSpot tells it in another form. */
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
