import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENTRY_PROPERTY } from "#domain/flow-entries/entry-property.js";
import type { EntryContact } from "#domain/flow-entries/flow-entry.js";
import { listEntries, type ListedEntry } from "#domain/flow-entries/list-entries.js";
import { putInWorkflow } from "#domain/flow-entries/put-in-workflow.js";
import { deleteOldRecords } from "#worker/sweeps/delete-old-records.js";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { flowWith, readFlowsAgain } from "../../support/flows-stage.js";
import { chosen } from "../../support/recipes.js";
import { startOwnFlowsStage, type OwnFlowsStage } from "../../support/own-flows-stage.js";

let stage: OwnFlowsStage;

beforeAll(async () => {
  stage = await startOwnFlowsStage({ simulator: { flowDelayMs: 30 } });
});

afterAll(() => stage.close());

const pool = () => stage.running.db.database.pool;
const entriesInto = (flowId: string, contactId: string) =>
  stage.portal.flowEntries.filter((entry) => entry.flowId === flowId && entry.contactId === contactId);
const stampOf = (contactId: string) => stage.portal.propertiesOf(contactId)[ENTRY_PROPERTY] ?? "";

async function put(flowId: string, contacts: readonly EntryContact[], requestId: string = randomUUID()) {
  const outcome = await putInWorkflow(pool(), stage.actor, { requestId, flowId, contacts });
  if (outcome.kind !== "accepted") throw new Error(`the contacts are ${outcome.kind}`);
  return outcome;
}

/** The entries of these ids, once all of them have ended. */
async function ended(ids: readonly bigint[]): Promise<ListedEntry[]> {
  const mine = async () =>
    (await listEntries(pool(), stage.actor.portalId)).filter(({ id }) => ids.includes(id)).reverse();
  await stage.until(async () => (await mine()).every(({ outcome }) => outcome !== undefined), "the outcomes");
  return mine();
}

/** A workflow that a person made and turned on, as we have read it. */
async function personsFlow(name: string, changes: object = {}): Promise<string> {
  const { id } = stage.portal.flows.create({ ...flowWith(name, [{ type: "0-1" }]), ...changes }, Date.now());
  await readFlowsAgain(stage.running, stage.portal);
  return id;
}

describe("a workflow that our contact property starts", () => {
  let flowId: string;

  beforeAll(async () => {
    await stage.make(chosen("FILTER", { name: "By property" }), { takesStamps: true });
    flowId = (await stage.untilMade("MADE")).flowId ?? "";
    stage.turnOn(flowId);
    await readFlowsAgain(stage.running, stage.portal);
  });

  test("takes contacts in by id and by address, once each, and leaves no value behind", async () => {
    const [first, second] = [stage.portal.addContact(), stage.portal.addContact()];
    const email = (second.properties["email"] ?? "").toUpperCase();
    const { ids, isLegacy } = await put(flowId, [{ id: first.id }, { email }, { id: first.id }]);
    expect(isLegacy).toBe(false);
    expect(ids[2]).toBe(ids[0]);
    expect(await ended(ids)).toMatchObject([
      { outcome: "PUT_IN", contactId: first.id },
      { outcome: "PUT_IN", contactId: second.id },
    ]);
    for (const { id } of [first, second]) {
      expect(entriesInto(flowId, id)).toHaveLength(1);
      expect(stampOf(id)).toBe("");
    }
  });

  test("takes a contact in once for one request, and again for another one", async () => {
    const { id } = stage.portal.addContact();
    const requestId = randomUUID();
    const [one, same] = await Promise.all([
      put(flowId, [{ id }], requestId),
      put(flowId, [{ id }], requestId),
    ]);
    expect(same.ids).toEqual(one.ids);
    await ended(one.ids);
    expect(entriesInto(flowId, id)).toHaveLength(1);
    await ended((await put(flowId, [{ id }])).ids);
    expect(entriesInto(flowId, id)).toHaveLength(2);
  });

  test("takes a contact in once if the answer to the stamp was lost", async () => {
    const { id } = stage.portal.addContact();
    const { ids } = await put(flowId, [{ id }]);
    await stage.until(() => stampOf(id) !== "", "the stamp");
    // As a crash leaves it: the stamp is there, and nobody knows.
    await pool().query(
      "UPDATE flow_entries SET state = 'STAMPING', due_at = now() - interval '1 millisecond' WHERE id = $1",
      [ids[0]],
    );
    expect(await ended(ids)).toMatchObject([{ outcome: "PUT_IN" }]);
    expect(entriesInto(flowId, id)).toHaveLength(1);
    expect(stampOf(id)).toBe("");
  });

  test("says of each contact why it was not put in", async () => {
    const { ids } = await put(flowId, [{ id: "999999999" }, { email: "nobody@lead.example" }]);
    expect((await ended(ids)).map(({ outcome }) => outcome)).toEqual([
      "CONTACT_NOT_FOUND",
      "CONTACT_NOT_FOUND",
    ]);
    const addresses = async () =>
      (
        await pool().query<{ email: string | null }>("SELECT email FROM flow_entries WHERE id = ANY ($1)", [
          ids,
        ])
      ).rows.map(({ email }) => email);
    await deleteOldRecords(pool(), () => false);
    expect(await addresses()).toContain("nobody@lead.example");
    await pool().query("UPDATE flow_entries SET ended_at = now() - interval '8 days' WHERE id = ANY ($1)", [
      ids,
    ]);
    await deleteOldRecords(pool(), () => false);
    expect(await addresses()).toEqual([null, null]);
  });

  test("may be one that a person triggers by the property", async () => {
    const filter = {
      filterType: "PROPERTY",
      property: ENTRY_PROPERTY,
      operation: {
        operationType: "MULTISTRING",
        operator: "IS_EQUAL_TO",
        values: ["my own word"],
        includeObjectsWithNoValueSet: false,
      },
    };
    const [or, and] = ["OR", "AND"].map((kind) => ({ filterBranchType: kind, filterBranchOperator: kind }));
    const enrollmentCriteria = {
      type: "LIST_BASED",
      shouldReEnroll: true,
      unEnrollObjectsNotMeetingCriteria: false,
      reEnrollmentTriggersFilterBranches: [],
      listFilterBranch: {
        ...or,
        filters: [],
        filterBranches: [{ ...and, filterBranches: [], filters: [filter] }],
      },
    };
    const own = await personsFlow("A person's own", { enrollmentCriteria });
    const { id } = stage.portal.addContact();
    const before = stage.portal.traffic.requestsOf("workflow-enrollments");
    expect(await ended((await put(own, [{ id }])).ids)).toMatchObject([{ outcome: "PUT_IN" }]);
    expect(entriesInto(own, id)).toHaveLength(1);
    expect(stage.portal.traffic.requestsOf("workflow-enrollments")).toBe(before);
  });
});

describe("any other workflow", () => {
  let flowId: string;

  beforeAll(async () => {
    flowId = await personsFlow("By hand");
  });

  test("takes contacts in by HubSpot's legacy route, which needs their address", async () => {
    const [contact, nameless] = [
      stage.portal.addContact(),
      stage.portal.addContact({ properties: { email: "" } }),
    ];
    const { ids, isLegacy } = await put(flowId, [{ id: contact.id }, { id: nameless.id }]);
    expect(isLegacy).toBe(true);
    expect((await ended(ids)).map(({ outcome }) => outcome)).toEqual(["PUT_IN", "CONTACT_HAS_NO_EMAIL"]);
    expect(entriesInto(flowId, contact.id)).toHaveLength(1);
  });

  test("is not asked twice for a contact that HubSpot shows in it after a lost answer", async () => {
    const { id } = stage.portal.addContact();
    // It stays in it long enough to be seen.
    stage.portal.flows.replace(stage.portal.flows.find(flowId) as never, delayed(flowId), Date.now());
    stage.running.simulator.failNext({ endpoint: "workflow-enrollments", fault: "resetAfter" });
    expect(await ended((await put(flowId, [{ id }])).ids)).toMatchObject([{ outcome: "PUT_IN" }]);
    expect(entriesInto(flowId, id)).toHaveLength(1);
  });

  test("is not asked twice for a contact of whom nobody can tell, and says so", async () => {
    const { id } = stage.portal.addContact();
    stage.running.simulator.failNext({ endpoint: "workflow-enrollments", fault: "resetBefore" });
    const [entry] = await ended((await put(flowId, [{ id }])).ids);
    expect(entry).toMatchObject({ outcome: "ANSWER_LOST" });
    expect(entriesInto(flowId, id)).toEqual([]);
  });

  test("is asked again where a contact can enter only once anyway", async () => {
    const once = await personsFlow("Once only", {
      enrollmentCriteria: { type: "MANUAL", shouldReEnroll: false },
    });
    const { id } = stage.portal.addContact();
    stage.running.simulator.failNext({ endpoint: "workflow-enrollments", fault: "resetBefore" });
    expect(await ended((await put(once, [{ id }])).ids)).toMatchObject([{ outcome: "PUT_IN" }]);
    expect(entriesInto(once, id)).toHaveLength(1);
  });

  test("says that it is turned off, or gone", async () => {
    const off = await personsFlow("Turned off", { isEnabled: false });
    const gone = await personsFlow("Deleted");
    stage.portal.flows.remove(gone);
    const { id } = stage.portal.addContact();
    const ids = [...(await put(off, [{ id }])).ids, ...(await put(gone, [{ id }])).ids];
    expect((await ended(ids)).map(({ outcome }) => outcome)).toEqual(["WORKFLOW_OFF", "WORKFLOW_NOT_FOUND"]);
  });

  test("is reached by the API, which names the day that the legacy route ends", async () => {
    const { id } = stage.portal.addContact();
    const key = await giveKey(stage.running.db.database, stage.actor.portalId, {
      scopes: ["enrollments:write"],
    });
    const client = createApiClient(stage.running.publicUrl, key);
    const path = `/api/v1/workflows/${flowId}/enrollments`;
    const answer = await client.post(path, { inputs: [{ contact: { id } }, { contact: { id } }] });
    expect(answer).toMatchObject({
      status: 202,
      body: { results: [{ index: 0, status: "ACCEPTED" }, { index: 1 }] },
    });
    expect(answer.headers.get("sunset")).toBe("Wed, 01 Sep 2027 00:00:00 GMT");
    await ended([BigInt(answer.body.results[0].id as string)]);
    expect(entriesInto(flowId, id)).toHaveLength(1);
    expect((await client.post("/api/v1/workflows/999/enrollments", { contact: { id } })).status).toBe(404);
    expect((await client.post(path, { contact: { id: "1", email: "a@b.example" } })).status).toBe(422);
  });
});

test("without the permission nobody is put in, and of one that may have been, nobody can tell", async () => {
  const flowId = await personsFlow("Not permitted");
  const [first, second] = [stage.portal.addContact(), stage.portal.addContact()];
  await stage.running.db.database.prisma.portalSettings.upsert({
    where: { portalId: stage.actor.portalId },
    create: { portalId: stage.actor.portalId, pausedAt: new Date() },
    update: { pausedAt: new Date() },
  });
  const { ids } = await put(flowId, [{ id: first.id }, { id: second.id }]);
  await stage.until(
    async () => (await pool().query("SELECT FROM flow_entries WHERE due_at > now()")).rowCount === 2,
    "the pause",
  );
  expect(entriesInto(flowId, first.id)).toEqual([]);
  stage.portal.withdrawScopes(["automation"]);
  await pool().query("UPDATE flow_entries SET state = 'SENDING' WHERE id = $1", [ids[1]]);
  await pool().query("UPDATE portal_settings SET paused_at = NULL");
  await pool().query(
    "UPDATE flow_entries SET due_at = now() - interval '1 millisecond' WHERE state <> 'DONE'",
  );
  expect((await ended(ids)).map(({ outcome }) => outcome)).toEqual(["MISSING_SCOPES", "ANSWER_LOST"]);
});

/** The same workflow with an action that is waited for. */
function delayed(flowId: string) {
  const flow = stage.portal.flows.find(flowId);
  if (flow === undefined) throw new Error(`no workflow ${flowId}`);
  const steps = Array.from({ length: 40 }, () => ({ type: "0-1" }));
  const { actions } = flowWith(flow.name ?? "", steps);
  const linked = actions.map((action, index) =>
    action.type === "SINGLE_CONNECTION" && index + 1 < actions.length
      ? { ...action, connection: { edgeType: "STANDARD" as const, nextActionId: String(index + 2) } }
      : action,
  );
  return { ...flow, actions: linked };
}
