import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { until } from "../../support/authorizing.js";
import { createMessageContract } from "../../support/api-contract.js";
import { isSignedWith } from "../../support/signed-message.js";
import { startListener, type Listener, type ParsedBody } from "../../support/simulated-app.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const EVENTS = [
  ...["enrollment.enrolled", "enrollment.refused", "enrollment.ended"],
  ...["portal.disconnected", "portal.reconnected", "sender.refused"],
];

let running: RunningApp;
let portal: SimulatedPortal;
let receiver: Listener;
let secret: string;

/** One story: what happens to an account and its contacts, and what its program hears. */
beforeAll(async () => {
  receiver = await startListener(() => 204);
  running = await startRunningApp({
    environment: { PRIVATE_DESTINATIONS: new URL(receiver.url).host },
    workIntervals: { followEnrollments: 100, tellEnds: 100, sendWebhooks: 100 },
  });
  portal = addPlainPortal(running.simulator, { contacts: 0, troubles: { "owner-without-inbox": 1 } });
  await running.install(portal);
  await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  const client = createApiClient(running.publicUrl, await giveKey(running.db.database, portal.portalId));
  const made = await client.post("/api/v1/webhook-subscriptions", {
    url: `${receiver.url}/hook`,
    events: EVENTS,
  });
  secret = String(made.body.secret);
});

afterAll(async () => {
  await running.close();
  await receiver.close();
});

const bodies = (): ParsedBody[] => receiver.received.map(({ body }) => JSON.parse(body));

/** The messages of a type, once there are as many. */
async function told(type: string, count = 1): Promise<ParsedBody[]> {
  const found = () => bodies().filter((body) => body.type === type);
  await until(() => Promise.resolve(found().length >= count), `${type} was not told`);
  return found();
}

async function enroll(contactId: string): Promise<void> {
  const [sequence] = portal.sequences.keys();
  await portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [contactId],
    inputs: { sequence_id: sequence ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  }).finished;
}

/** Hours pass until the contact is looked at. */
async function look(): Promise<void> {
  const { pool } = running.db.database;
  await until(
    async () => (await pool.query("SELECT FROM followed_enrollments")).rowCount === 1,
    "the enrollment is not followed",
  );
  await pool.query("UPDATE follow_progress SET next_request_at = NULL");
  await pool.query("UPDATE followed_enrollments SET next_look_at = now() - interval '1 second'");
}

test("an enrollment is told when it begins and when it ends, and one that is refused with the reason", async () => {
  const contactId = portal.addContact({ properties: { email: "ada@lead.example" } }).id;
  await enroll(contactId);
  const [enrolled] = await told("enrollment.enrolled");
  expect(enrolled).toEqual({
    type: "enrollment.enrolled",
    timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    data: expect.objectContaining({
      source: "workflow",
      status: "ENROLLED",
      reason: null,
      contact: { id: contactId, email: "ada@lead.example" },
      ended: null,
    }),
  });
  await enroll(contactId);
  const [refused] = await told("enrollment.refused");
  expect(refused.data).toMatchObject({ status: "ALREADY_ENROLLED", contact: { id: contactId } });
  portal.endEnrollment(contactId, "replied");
  await look();
  const [ended] = await told("enrollment.ended");
  expect(ended.data).toMatchObject({
    id: enrolled.data.id,
    status: "ENROLLED",
    ended: { outcome: "REPLIED", at: expect.any(String) },
  });
});

test("a sender whom HubSpot refuses is told once, however many contacts it refuses", async () => {
  const [troubled] = [...portal.contacts.keys()];
  await enroll(troubled ?? "");
  const [refused] = await told("sender.refused");
  expect(refused.data).toEqual({
    userId: expect.stringMatching(/^\d+$/),
    email: expect.stringContaining("@"),
    reason: { code: "INBOX_NOT_CONNECTED", message: expect.stringMatching(/\.$/) },
  });
  await enroll(troubled ?? "");
  await told("enrollment.refused", 3);
  expect(await told("sender.refused")).toHaveLength(1);
});

test("an account that is disconnected and connected again is told of in this order", async () => {
  portal.uninstall();
  // Its callback waits until the account is connected again.
  const held = enroll(portal.addContact().id);
  const [disconnected] = await told("portal.disconnected");
  expect(disconnected.data).toEqual({ portalId: String(portal.portalId), reason: expect.any(String) });
  await running.install(portal);
  const [reconnected] = await told("portal.reconnected");
  expect(reconnected.data).toEqual({ portalId: String(portal.portalId) });
  await held;
  const order = bodies().flatMap(({ type }) => (String(type).startsWith("portal.") ? [type] : []));
  expect(order).toEqual(["portal.disconnected", "portal.reconnected"]);
});

test("every message was signed, came once under an id of its own, and is what the OpenAPI document says", async () => {
  const { body: document } = await createApiClient(running.publicUrl, undefined).get("/api/v1/openapi.json");
  const problemsOf = createMessageContract(document);
  expect(bodies().flatMap(problemsOf)).toEqual([]);
  expect(receiver.received.filter((message) => !isSignedWith(secret, message))).toEqual([]);
  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(bodies().map(({ type }) => type))).toEqual(new Set(EVENTS));
});
