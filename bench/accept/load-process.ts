import { Client } from "undici";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { signedHeaders } from "../../src/simulator/world/signing.js";
import { executionPayload } from "../../src/simulator/workflow/execution.js";
import { OWNER_ID, SEQUENCE_ID } from "../rig/simulator-client.js";

/** One volley: what the parent asks for over IPC. */
export interface Volley {
  /** Where to send it. */
  readonly origin: string;
  /** What the signatures are over. */
  readonly publicUrl: string;
  readonly secret: string;
  readonly portalIds: readonly number[];
  readonly calls: number;
  readonly connections: number;
  /** Makes the callback ids of this volley like no other's. */
  readonly label: string;
  /** A key for each portal: single calls of the REST API instead of signed calls of the action. */
  readonly apiKeys?: readonly string[] | undefined;
}

export interface VolleyResult {
  readonly seconds: number;
  /** How many calls got each status; 0: no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Ms of every call, in the order in which they were answered. */
  readonly latencies: number[];
  /** When each was answered, in ms from the first. */
  readonly answeredAt: number[];
}

interface Call {
  readonly path: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** One call in eight carries a v2 signature alone, as older apps get them; the others v3 beside v2 (docs/hubspot.md §4). */
const V2_ONLY_EVERY = 8;

function signedCall(volley: Volley, index: number): Call {
  const portalId = volley.portalIds[index % volley.portalIds.length] as number;
  const contact = {
    id: String(10_000 + index),
    properties: {
      email: `ada.king${index}@example.com`,
      hubspot_owner_id: OWNER_ID,
      hs_sequences_is_enrolled: "false",
    },
  };
  const body = executionPayload(
    { ...contact, createdAtMs: 0, updatedAtMs: 0, suppression: undefined, pending: [] },
    {
      portalId,
      definitionId: 170_012_345,
      definitionVersion: 3,
      workflowId: 7_001,
      actionId: 4,
      enrollmentId: index,
      callbackId: `ap-${portalId}-${volley.label}-${index}`,
      inputs: { sequence_id: SEQUENCE_ID, sender_mode: "contact_owner", if_already_enrolled: "skip" },
      objectProperties: [...REQUESTED_PROPERTIES],
      nowMs: Date.now(),
    },
  );
  const url = volley.publicUrl + ENROLL_ROUTE;
  const headers = signedHeaders(
    { method: "POST", url, body },
    {
      secret: volley.secret,
      nowMs: Date.now(),
      plan: index % V2_ONLY_EVERY === 0 ? { v2: "good" } : { v2: "good", v3: "good" },
    },
  );
  return { path: ENROLL_ROUTE, body, headers: { ...headers, "content-type": "application/json" } };
}

/** The same asked for by a program. */
function apiCall({ apiKeys = [], label }: Volley, index: number): Call {
  const body = JSON.stringify({
    contact: { id: String(10_000 + index) },
    sequence: { id: SEQUENCE_ID },
    sender: { mode: "contact_owner" },
    ifAlreadyEnrolled: "skip",
    reference: `${label}-${index}`,
  });
  const authorization = `Bearer ${apiKeys[index % apiKeys.length]}`;
  return {
    path: "/api/v1/enrollments",
    body,
    headers: { authorization, "content-type": "application/json" },
  };
}

function send(client: Client, call: Call): Promise<number> {
  return new Promise((resolve) => {
    let status = 0;
    client.dispatch(
      { method: "POST", path: call.path, headers: call.headers, body: call.body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_, code) => {
          status = code;
        },
        onResponseData: () => undefined,
        onResponseEnd: () => {
          resolve(status);
        },
        onResponseError: () => {
          resolve(0);
        },
      },
    );
  });
}

/** Everything is signed before the clock starts: what is timed is sending and being answered. */
async function fire(volley: Volley): Promise<VolleyResult> {
  const makeCall = volley.apiKeys === undefined ? signedCall : apiCall;
  const calls = Array.from({ length: volley.calls }, (_, index) => makeCall(volley, index));
  const clients = Array.from({ length: volley.connections }, () => new Client(volley.origin));
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  const answeredAt: number[] = [];
  let next = volley.connections;
  // Each connection is opened by a call of its own before the clock starts.
  const opened = await Promise.all(clients.map((client, index) => send(client, calls[index] as Call)));
  for (const status of opened) statuses[status] = (statuses[status] ?? 0) + 1;
  const startedAt = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let call = calls[next++]; call !== undefined; call = calls[next++]) {
        const sentAt = performance.now();
        const status = await send(client, call);
        const now = performance.now();
        latencies.push(now - sentAt);
        answeredAt.push(now - startedAt);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  await Promise.all(clients.map((client) => client.close()));
  return { seconds, statuses, latencies, answeredAt };
}

process.on("message", (volley: Volley) => {
  void fire(volley).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
