import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import {
  ENROLL_ROUTE,
  PRESET_OPTIONS_ROUTE,
  ROTATION_OPTIONS_ROUTE,
  SENDER_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { SigningPlan } from "../../../src/simulator/world/signing.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/*
 * HubSpot's proxy signs, with the app's own secret, whatever a user of any account lets the settings tab fetch. What it
 * signs for one account must not pass for a workflow's call, a dropdown or a webhook of another.
 */
describe("a request that HubSpot's proxy signed for a user of another account", () => {
  let running: RunningApp;
  let victim: SimulatedPortal;
  let attacker: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp({ environment: { ROLE: "web" } });
    victim = addPlainPortal(running.simulator, { contacts: 3 });
    attacker = addPlainPortal(running.simulator);
    await running.install(victim);
    await running.install(attacker);
  });

  afterAll(() => running.close());

  const contactId = (): string => [...victim.contacts.keys()][0] ?? "";

  const actionBody = (callbackId: string) => ({
    callbackId,
    origin: { portalId: victim.portalId },
    object: { objectId: Number(contactId()), objectType: "CONTACT" },
    inputFields: { sequence_id: [...victim.sequences.keys()][0], sender_mode: "contact_owner" },
  });

  const privacyDeletion = () => [
    { subscriptionType: "contact.privacyDeletion", portalId: victim.portalId, objectId: Number(contactId()) },
  ];

  async function stored() {
    const { prisma } = running.db.database;
    return { executions: await prisma.execution.findMany({ orderBy: { id: "asc" } }) };
  }

  async function post(pathAndQuery: string, body: unknown, plan?: SigningPlan): Promise<number> {
    const url = running.publicUrl + pathAndQuery;
    const text = JSON.stringify(body);
    const headers = running.simulator.sign({ method: "POST", url, body: text }, plan);
    const init = { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text };
    return (await fetch(url, init)).status;
  }

  const OPTIONS = [
    SEQUENCE_OPTIONS_ROUTE,
    SENDER_OPTIONS_ROUTE,
    ROTATION_OPTIONS_ROUTE,
    PRESET_OPTIONS_ROUTE,
  ];
  const ACTIONS = [ENROLL_ROUTE, CHECK_ENROLLMENT_ROUTE, WAIT_FOR_SEQUENCE_END_ROUTE];

  test.each([...OPTIONS, ...ACTIONS, WEBHOOK_ROUTE])(
    "is refused by %s, and stores nothing",
    async (route) => {
      expect(await post(ENROLL_ROUTE, actionBody("ap-proxied-0"))).toBe(200);
      const before = await stored();
      const body = route === WEBHOOK_ROUTE ? privacyDeletion() : actionBody("ap-proxied-1");
      const answer = await attacker.hubspotFetch(running.publicUrl + route, { method: "POST", body });
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.body)).toMatchObject({ code: "SIGNATURE_REFUSED" });
      expect(await stored()).toEqual(before);
    },
  );

  test("is refused by each of the names alone, however it is written, under v3 and v2", async () => {
    const queries = [
      ...["portalId=1", "userId=1", "userEmail=a%40b.example", "appId=170", "portalId", "PORTALID=1"],
      ...["portal%49d=1", "%70ortalId=1", "userEMAIL=", "x=1&userId=1", "x=1;userId=1", "x=?userId=1"],
    ];
    const before = await stored();
    for (const query of queries) {
      const body = actionBody("ap-proxied-2");
      for (const plan of [{ v3: "good" }, { v2: "good" }] as const) {
        const statuses = [
          await post(`${ENROLL_ROUTE}?${query}`, body, plan),
          await post(`${SENDER_OPTIONS_ROUTE}?${query}`, body, plan),
          await post(`${WEBHOOK_ROUTE}?${query}`, privacyDeletion(), plan),
        ];
        expect([query, statuses]).toEqual([query, [401, 401, 401]]);
      }
    }
    expect(await stored()).toEqual(before);
    expect(running.logLines).toContainEqual(expect.objectContaining({ reason: "proxied" }));
  });

  test("is not what a call with other parameters is taken for", async () => {
    const query = "utm_source=portalId&appIdentifier=1&x=%E0%A4%A&userIds=2";
    expect(await post(`${SENDER_OPTIONS_ROUTE}?${query}`, actionBody("ap-proxied-3"))).toBe(200);
    expect(await post(`${ENROLL_ROUTE}?${query}`, actionBody("ap-proxied-3"))).toBe(200);
    expect(await post(`${WEBHOOK_ROUTE}?${query}`, [], { v3: "good" })).toBe(200);
  });
});
