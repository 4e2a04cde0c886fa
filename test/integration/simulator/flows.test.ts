import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { API_ROUTES } from "../../../src/simulator/endpoints/routes.js";
import { NATIVE_STEPS } from "../../../src/simulator/flows/seeded-flows.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { startListener, startSimulatorForTest, type ParsedBody } from "../../support/simulated-app.js";

const SCOPES = ["automation", "crm.objects.contacts.write", "crm.schemas.contacts.write"];
const FLOWS = "/automation/v4/flows";
const STAMP = "unenroll_requested_at";

let simulator: Simulator;
let portal: SimulatedPortal;
let contactId: string;

beforeEach(async () => {
  simulator = await startSimulatorForTest({ rateLimit: false });
  portal = simulator.addPortal({ contacts: 2 });
  contactId = [...portal.contacts.keys()][0] ?? "";
});
afterEach(() => simulator.close());

async function call(
  method: string,
  path: string,
  { body, scopes = SCOPES }: { body?: unknown; scopes?: readonly string[] } = {},
): Promise<{ status: number; body: ParsedBody }> {
  const response = await fetch(simulator.url + path, {
    method,
    headers: { authorization: `Bearer ${portal.accessToken(scopes)}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
}

/** A workflow that begins when `property` is known. */
function flow(actions: readonly unknown[], { isEnabled = true, shouldReEnroll = true } = {}) {
  return {
    type: "CONTACT_FLOW",
    flowType: "WORKFLOW",
    objectTypeId: "0-1",
    name: "Helper",
    isEnabled,
    startActionId: "1",
    actions,
    enrollmentCriteria: {
      type: "LIST_BASED",
      shouldReEnroll,
      unEnrollObjectsNotMeetingCriteria: false,
      reEnrollmentTriggersFilterBranches: [],
      listFilterBranch: branch("OR", [], [branch("AND", [isKnown(STAMP)], [])]),
    },
    timeWindows: [],
    blockedDates: [],
    customProperties: {},
    dataSources: [],
    suppressionListIds: [],
    canEnrollFromSalesforce: false,
  };
}

function branch(
  type: "OR" | "AND",
  filters: readonly unknown[],
  filterBranches: readonly unknown[],
): unknown {
  return { filterBranchType: type, filterBranchOperator: type, filters, filterBranches };
}

function isKnown(property: string): unknown {
  const operation = {
    operationType: "ALL_PROPERTY",
    operator: "IS_KNOWN",
    includeObjectsWithNoValueSet: false,
  };
  return { filterType: "PROPERTY", property, operation };
}

function step(actionId: string, actionTypeId: string, fields: Record<string, unknown> = {}) {
  return { type: "SINGLE_CONNECTION", actionId, actionTypeId, actionTypeVersion: 0, fields };
}

function leadingTo(nextActionId: string, action: ReturnType<typeof step>) {
  return { ...action, connection: { edgeType: "STANDARD", nextActionId } };
}

async function addStamp(): Promise<void> {
  const property = {
    name: STAMP,
    label: "Stamp",
    type: "datetime",
    fieldType: "date",
    groupName: "contactinformation",
  };
  expect((await call("POST", "/crm/properties/2026-03/contacts", { body: property })).status).toBe(201);
}

function stamp(value: string | null) {
  return call("PATCH", `/crm/objects/2026-09/contacts/${contactId}`, {
    body: { properties: { [STAMP]: value } },
  });
}

describe("a workflow that a property starts", () => {
  test("unenrolls the contact by HubSpot's own step, again after the property was emptied", async () => {
    await addStamp();
    await call("POST", FLOWS, { body: flow([step("1", NATIVE_STEPS.unenroll)]) });
    for (const round of [1, 2]) {
      portal.enrollInUi(contactId);
      expect((await stamp("2026-11-27T10:00:00Z")).status).toBe(200);
      await simulator.waitFor(() => portal.enrollments.activeOf(contactId) === undefined);
      expect(portal.enrollments.latestOf(contactId)?.ended).toBe("unenrolled");
      await stamp(null);
      expect(portal.flowEntries).toHaveLength(round);
    }
  });

  test("does not start again while the property keeps a value", async () => {
    await addStamp();
    await call("POST", FLOWS, { body: flow([step("1", NATIVE_STEPS.unenroll)]) });
    await stamp("2026-11-27T10:00:00Z");
    await stamp("2026-11-27T11:00:00Z");
    expect(portal.flowEntries).toHaveLength(1);
  });

  test.each([
    ["that is off", flow([step("1", NATIVE_STEPS.unenroll)], { isEnabled: false }), 0],
    ["that takes nobody twice", flow([step("1", NATIVE_STEPS.unenroll)], { shouldReEnroll: false }), 1],
  ])("takes a contact as often as one %s does", async (_what, body, times) => {
    await addStamp();
    await call("POST", FLOWS, { body });
    for (const value of ["1", null, "2", null]) await stamp(value);
    expect(portal.flowEntries).toHaveLength(times);
  });

  test.each([
    [true, 0],
    [false, 1],
  ])(
    "lets a contact go that no longer meets it, if it says so (%s): %i times unenrolled",
    async (unEnrollObjectsNotMeetingCriteria, times) => {
      await addStamp();
      const body = flow([step("1", NATIVE_STEPS.unenroll)]);
      const enrollmentCriteria = { ...body.enrollmentCriteria, unEnrollObjectsNotMeetingCriteria };
      const { body: made } = await call("POST", FLOWS, { body: { ...body, enrollmentCriteria } });
      const other = [...portal.contacts.keys()][1] ?? "";
      for (const id of [contactId, other]) portal.enrollInUi(id);
      portal.writeProperties(contactId, { [STAMP]: "1" });
      expect(portal.flowRunner.flowsOf(contactId)).toEqual([made.id]);
      portal.writeProperties(contactId, { [STAMP]: null });
      expect(portal.flowRunner.flowsOf(contactId)).toHaveLength(times);
      // Who enters later shows that the first one's time has come.
      portal.writeProperties(other, { [STAMP]: "1" });
      await simulator.waitFor(() => portal.enrollments.activeOf(other) === undefined);
      expect(portal.enrollments.activeOf(contactId) === undefined).toBe(times === 1);
    },
  );

  test("calls the app at its step and follows the branch of what it answered", async () => {
    const app = await startListener(() => ({
      body: { outputFields: { hs_execution_state: "SUCCESS", enrollment_status: "ENROLLED" } },
    }));
    portal.flowRunner.useAction({ actionUrl: `${app.url}/enroll`, objectProperties: ["email"] });
    await addStamp();
    const ours = leadingTo("2", step("1", "1-170012345", { sequence_id: "300000001" }));
    const inputValue = { type: "FIELD_DATA", actionId: "1", dataKey: "enrollment_status" };
    const staticBranches = [
      { branchValue: "ENROLLED", connection: { edgeType: "STANDARD", nextActionId: "3" } },
    ];
    const branching = { type: "STATIC_BRANCH", actionId: "2", inputValue, staticBranches };
    const value = { type: "STATIC_VALUE", staticValue: "ATTEMPTED_TO_CONTACT" };
    const last = step("3", NATIVE_STEPS.setProperty, { property_name: "hs_lead_status", value });
    await call("POST", FLOWS, { body: flow([ours, branching, last]) });
    await stamp("now");
    await simulator.waitFor(() => portal.propertiesOf(contactId)["hs_lead_status"] !== undefined);
    expect(JSON.parse(app.received[0]?.body ?? "{}")).toMatchObject({
      inputFields: { sequence_id: "300000001" },
    });
    expect(portal.propertiesOf(contactId)["hs_lead_status"]).toBe("ATTEMPTED_TO_CONTACT");
    await app.close();
  });
});

describe("the flows API", () => {
  test("keeps what was made, by revisions, until it is deleted", async () => {
    const made = await call("POST", FLOWS, { body: flow([], { isEnabled: false }) });
    const path = `${FLOWS}/${made.body.id}`;
    expect(made.body).toMatchObject({ revisionId: "1", isEnabled: false });
    const { flowType: _, objectTypeId: __, dataSources: ___, ...whole } = flow([]);
    const put = (revisionId: string) => call("PUT", path, { body: { ...whole, revisionId } });
    expect(await put("1")).toMatchObject({ status: 200, body: { revisionId: "2", isEnabled: true } });
    expect((await put("1")).status).toBe(409);
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("GET", path)).status).toBe(404);
  });

  test.each([
    ["lacks its actions", { actions: undefined }],
    ["has a step of no known kind", { actions: [{ type: "UNHEARD_OF", actionId: "1" }] }],
    [
      "has a filter without its operation",
      {
        enrollmentCriteria: { type: "LIST_BASED", shouldReEnroll: true, listFilterBranch: {} },
      },
    ],
    ["is of another type of object", { objectTypeId: "0-3" }],
  ])("refuses a workflow that %s", async (_what, change) => {
    const before = portal.flows.all().length;
    expect((await call("POST", FLOWS, { body: { ...flow([]), ...change } })).status).toBe(400);
    expect(portal.flows.all()).toHaveLength(before);
  });

  test.each(
    API_ROUTES.filter(({ scopes }) => !scopes.includes("oauth")).map(
      ({ method, path, scopes }) => [method, path, scopes] as const,
    ),
  )("of %s %s asks for a scope, and names those that would do", async (method, path, scopes) => {
    const place = path.replaceAll(/\{\w+\}/g, "1");
    const { status, body } = await call(method, place, {
      scopes: ["oauth"],
      ...(method === "GET" ? {} : { body: {} }),
    });
    expect([status, body.category]).toEqual([403, "MISSING_SCOPES"]);
    for (const scope of scopes) expect(JSON.stringify(body)).toContain(scope);
  });

  test("asks for the scope of workflows, and writes of contacts for theirs", async () => {
    const scopes = ["crm.objects.contacts.read"];
    expect((await call("GET", FLOWS, { scopes })).status).toBe(403);
    expect(
      (await call("PATCH", `/crm/objects/2026-09/contacts/${contactId}`, { body: {}, scopes })).status,
    ).toBe(403);
    expect((await call("POST", "/crm/properties/2026-03/contacts", { body: {}, scopes })).status).toBe(403);
  });

  test("tells the legacy number of a workflow, by which a contact can be put in", async () => {
    const made = await call("POST", FLOWS, {
      body: flow([step("1", NATIVE_STEPS.enroll, { sequenceId: "300000001" })]),
    });
    const inputs = [{ type: "FLOW_ID", flowId: made.body.id }];
    const mapped = await call("POST", "/automation/v4/workflow-id-mappings/batch/read", { body: { inputs } });
    const { workflowId } = mapped.body.results[0];
    expect(String(workflowId)).not.toBe(made.body.id);
    const email = encodeURIComponent(portal.contact(contactId).properties["email"] ?? "");
    const path = `/automation/v2/workflows/${workflowId}/enrollments/contacts/${email}`;
    expect((await call("POST", path)).status).toBe(204);
    await simulator.waitFor(() => portal.enrollments.activeOf(contactId) !== undefined);
    expect((await call("POST", path.replace(email, "nobody%40acme.example"))).status).toBe(404);
  });
});

test("a write of a property that does not exist, or that HubSpot keeps itself, changes nothing", async () => {
  const before = { ...portal.propertiesOf(contactId) };
  for (const name of ["unheard_of", "hs_sequences_is_enrolled"]) {
    const body = { inputs: [{ id: contactId, properties: { firstname: "Changed", [name]: "x" } }] };
    expect((await call("POST", "/crm/objects/2026-09/contacts/batch/update", { body })).status).toBe(400);
  }
  expect(portal.propertiesOf(contactId)).toEqual(before);
});

test("what a contact does with an email shows in its properties", () => {
  portal.recordEngagement(contactId, "opened");
  expect(portal.propertiesOf(contactId)["hs_sales_email_last_opened"]).toMatch(/^2/u);
});
