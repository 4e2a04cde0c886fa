import type { Pool } from "pg";
import { FIRST_CONTACT, OWNER_ID, SEQUENCE_ID } from "./simulator-client.js";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { signedHeaders } from "../../src/simulator/world/signing.js";

/** Sends one signed call of the enroll action, as HubSpot would. @throws Error where it is not taken. */
export async function callAction(
  target: { url: string; publicUrl: string; secret: string },
  call: { portalId: number; contact: number; label: string },
): Promise<void> {
  const contactId = FIRST_CONTACT + call.contact;
  const inputs = { sequence_id: SEQUENCE_ID, sender_mode: "contact_owner" };
  const body = JSON.stringify({
    callbackId: `ap-${call.portalId}-${call.label}-${call.contact}`,
    origin: { portalId: call.portalId, actionDefinitionId: 170_012_345 },
    context: { source: "WORKFLOWS", workflowId: 7_001 },
    object: {
      objectId: contactId,
      objectType: "CONTACT",
      properties: { email: `ada.king${contactId}@example.com`, hubspot_owner_id: OWNER_ID },
    },
    inputFields: inputs,
    fields: inputs,
  });
  const headers = signedHeaders(
    { method: "POST", url: target.publicUrl + ENROLL_ROUTE, body },
    { secret: target.secret, nowMs: Date.now() },
  );
  const response = await fetch(target.url + ENROLL_ROUTE, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
  });
  const answer = await response.text();
  if (!answer.includes("BLOCK")) throw new Error(`the call was not taken: ${response.status} ${answer}`);
}

/** Ms from the commit of each accepted call to the commit of its enrollment, of callback ids with this label. */
export async function acceptToEnrollMs(pool: Pool, label: string): Promise<number[]> {
  const { rows } = await pool.query<{ ms: number }>(
    `SELECT (extract(epoch FROM decided_at - accepted_at) * 1000)::float8 AS ms FROM executions
      WHERE callback_id LIKE '%-' || $1 || '-%' AND enrollment_status = 'ENROLLED'`,
    [label],
  );
  return rows.map(({ ms }) => ms);
}

/** The same up to the claim: what waking and fetching took. */
export async function acceptToClaimMs(pool: Pool, label: string): Promise<number[]> {
  const { rows } = await pool.query<{ ms: number }>(
    `SELECT (extract(epoch FROM first_attempt_at - accepted_at) * 1000)::float8 AS ms FROM executions
      WHERE callback_id LIKE '%-' || $1 || '-%' AND first_attempt_at IS NOT NULL`,
    [label],
  );
  return rows.map(({ ms }) => ms);
}
