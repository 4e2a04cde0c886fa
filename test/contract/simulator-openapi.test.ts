import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TOKEN_ROUTES } from "../../src/simulator/authorization/token-endpoint.js";
import { API_ROUTES } from "../../src/simulator/endpoints/routes.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { Simulator } from "../../src/simulator/simulator.js";
import { requestValidator, responseValidator, specDirectory } from "../support/openapi.js";
import { SIMULATED_APP, startSimulatorForTest } from "../support/simulated-app.js";

const directory = specDirectory();
if (directory === undefined) {
  console.warn(
    "Skipped: HubSpot's OpenAPI files are not here; set HUBSPOT_SPEC_DIR to check the simulator against them.",
  );
}

const SEQUENCES = "/automation/sequences/2026-09";
const CALLBACKS = "/automation/actions/callbacks/2026-09";
const ALL_SCOPES = [
  ...SIMULATED_APP.requiredScopes,
  ...SIMULATED_APP.optionalScopes,
  "crm.objects.contacts.write",
  "crm.lists.read",
];

/** HubSpot publishes no OpenAPI file for these in the collection that is checked here. */
const WITHOUT_FILE = /\/oauth\/v3\/|\/appinstalls\/2026-03\/|\/automation\/v2\/|\/crm\/properties\//;

const FLOW = {
  type: "CONTACT_FLOW",
  name: "Wait a day",
  isEnabled: false,
  startActionId: "1",
  actions: [
    {
      type: "SINGLE_CONNECTION",
      actionId: "1",
      actionTypeId: "0-1",
      actionTypeVersion: 0,
      fields: { delta: "1440", time_unit: "MINUTES" },
    },
  ],
  enrollmentCriteria: { type: "MANUAL", shouldReEnroll: false },
  timeWindows: [],
  blockedDates: [],
  customProperties: {},
  suppressionListIds: [],
  canEnrollFromSalesforce: false,
};
const WAIT_FLOW = { ...FLOW, flowType: "WORKFLOW", objectTypeId: "0-1", dataSources: [] };
const PUT_FLOW = { ...FLOW, name: "Wait longer" };

const suite = directory === undefined ? describe.skip : describe;

suite("the simulator keeps HubSpot's published contract", () => {
  let requestProblems: ReturnType<typeof requestValidator>;
  let answerProblems: ReturnType<typeof responseValidator>;
  let simulator: Simulator;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    requestProblems = requestValidator(directory ?? "");
    answerProblems = responseValidator(directory ?? "");
    simulator = await startSimulatorForTest({ recordRequests: true, rateLimit: false });
    portal = simulator.addPortal({ contacts: 5, troubles: { unsubscribed: 1, "already-enrolled": 1 } });
    for (const name of ["a", "b", "c"]) portal.callbacks.expect(`ap-${name}`);
  });
  afterAll(() => simulator.close());

  /** Sends one API request; the log keeps it together with its answer. */
  async function call(method: string, target: string, body?: unknown): Promise<number> {
    return callWith(portal.accessToken(ALL_SCOPES), { method, target, body });
  }

  async function callWith(
    token: string,
    { method, target, body }: { method: string; target: string; body?: unknown },
  ): Promise<number> {
    const response = await fetch(simulator.url + target, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  async function form(target: string, fields: Record<string, string>): Promise<number> {
    const credentials = {
      client_id: SIMULATED_APP.clientId,
      client_secret: SIMULATED_APP.clientSecrets[0],
    };
    const response = await fetch(simulator.url + target, {
      method: "POST",
      body: new URLSearchParams({ ...credentials, ...fields }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** Both sides of everything sent since `from`. */
  function problemsSince(from: number): string[] {
    return simulator.requests.slice(from).flatMap((entry) => {
      const problems = [...requestProblems(entry), ...answerProblems(entry)];
      return problems.map((problem) => `${entry.method} ${entry.path} ${entry.status}: ${problem}`);
    });
  }

  function enrollment(contactId: string): { sequenceId: string; contactId: string; senderEmail: string } {
    return { sequenceId: "300000001", contactId, senderEmail: portal.admin.inboxAddress };
  }

  test("in every success answer", async () => {
    const from = simulator.requests.length;
    const admin = portal.admin.userId;
    const ownerId = portal.ownerOfUser(admin).ownerId;
    const list = portal.addList({ name: "Trials", memberIds: [...portal.contacts.keys()] });
    const nextFlowId = String(Number(portal.flows.all().at(-1)!.id) + 1);
    const calls: [number, string, string, unknown?][] = [
      [200, "GET", `${SEQUENCES}?userId=${admin}&limit=5&name=o`],
      [200, "GET", `${SEQUENCES}/300000001?userId=${admin}`],
      [200, "POST", `${SEQUENCES}/enrollments?userId=${admin}`, enrollment("1001")],
      [200, "GET", `${SEQUENCES}/enrollments/contact/1001`],
      [
        204,
        "POST",
        `${CALLBACKS}/ap-a/complete`,
        { outputFields: { hs_execution_state: "SUCCESS" }, typedOutputs: {} },
      ],
      [
        204,
        "POST",
        `${CALLBACKS}/complete`,
        {
          inputs: ["ap-b", "ap-c"].map((callbackId) => ({
            callbackId,
            outputFields: { hs_execution_state: "FAIL_CONTINUE", error_code: "BOUNCED" },
            typedOutputs: {},
          })),
        },
      ],
      [200, "GET", "/crm/owners/2026-09?limit=2"],
      [200, "GET", "/crm/owners/2026-09?archived=true"],
      [200, "GET", `/crm/owners/2026-09/${ownerId}`],
      [200, "GET", `/crm/owners/2026-09/${admin}?idProperty=userId`],
      [200, "GET", "/settings/users/2026-03?limit=2"],
      [200, "GET", `/settings/users/2026-03/${admin}`],
      [200, "GET", "/crm/objects/2026-09/contacts/1001?properties=email&properties=hubspot_owner_id"],
      [200, "GET", "/crm/objects/2026-09/0-1/1001"],
      ...(["contacts", "0-1"] as const).map((type): [number, string, string, unknown] => [
        200,
        "POST",
        `/crm/objects/2026-09/${type}/batch/read`,
        { inputs: [{ id: "1001" }], properties: ["email"], propertiesWithHistory: [] },
      ]),
      [
        207,
        "POST",
        "/crm/objects/2026-09/contacts/batch/read",
        { inputs: [{ id: "1001" }, { id: "77" }], properties: [], propertiesWithHistory: [] },
      ],
      [200, "GET", "/communication-preferences/2026-09/statuses/someone%40brightforge.example?channel=EMAIL"],
      [200, "GET", "/automation/v4/flows?limit=1"],
      [200, "GET", `/automation/v4/flows/${portal.flows.all()[0]!.id}`],
      [
        200,
        "POST",
        "/automation/v4/flows/batch/read",
        { inputs: [{ type: "FLOW_ID", flowId: portal.flows.all()[0]!.id }] },
      ],
      [207, "POST", "/automation/v4/flows/batch/read", { inputs: [{ type: "FLOW_ID", flowId: "1" }] }],
      [201, "POST", "/automation/v4/flows", WAIT_FLOW],
      [200, "PUT", `/automation/v4/flows/${nextFlowId}`, { ...PUT_FLOW, revisionId: "1" }],
      [
        200,
        "POST",
        "/automation/v4/workflow-id-mappings/batch/read",
        { inputs: [{ type: "FLOW_ID", flowId: nextFlowId }] },
      ],
      [204, "DELETE", `/automation/v4/flows/${nextFlowId}`],
      ...(["contacts", "0-1"] as const).flatMap((type): [number, string, string, unknown][] => [
        [200, "PATCH", `/crm/objects/2026-09/${type}/1001`, { properties: { firstname: "Ada" } }],
        [
          200,
          "POST",
          `/crm/objects/2026-09/${type}/batch/update`,
          { inputs: [{ id: "1001", properties: { firstname: "Ada" } }] },
        ],
      ]),
      [
        200,
        "POST",
        "/crm/lists/2026-09/search",
        { listIds: [], processingTypes: [], additionalProperties: ["hs_list_size"], offset: 0, query: "a" },
      ],
      [200, "GET", `/crm/lists/2026-09/${list.listId}`],
      [200, "GET", `/crm/lists/2026-09/${list.listId}/memberships?limit=2`],
      [200, "GET", "/account-info/2026-09/details"],
      [204, "DELETE", "/appinstalls/2026-09/external-install"],
    ];
    for (const [status, method, target, body] of calls) {
      expect([method, target, await call(method, target, body)]).toEqual([method, target, status]);
    }
    expect(problemsSince(from)).toEqual([]);
  });

  test("in every refusal", async () => {
    const from = simulator.requests.length;
    const admin = portal.admin.userId;
    const [, , , , , unsubscribed, alreadyEnrolled] = [...portal.contacts.keys()];
    const enroll = `${SEQUENCES}/enrollments?userId=${admin}`;
    expect(await call("POST", enroll, enrollment(unsubscribed!))).toBe(400);
    expect(await call("POST", enroll, enrollment(alreadyEnrolled!))).toBe(400);
    expect(await call("POST", enroll, enrollment("404"))).toBe(404);
    expect(await call("GET", `${SEQUENCES}/1?userId=${admin}`)).toBe(404);
    expect(await call("GET", `${SEQUENCES}/enrollments/contact/1002`)).toBe(404);
    expect(await call("GET", "/crm/owners/2026-09/1")).toBe(404);
    const narrow = portal.accessToken(["oauth"]);
    expect(await callWith(narrow, { method: "GET", target: "/crm/owners/2026-09" })).toBe(403);
    expect(
      await call("POST", `${CALLBACKS}/unknown/complete`, {
        outputFields: { hs_execution_state: "SUCCESS" },
        typedOutputs: {},
      }),
    ).toBe(404);
    expect(
      await form("/oauth/2026-09/token", { grant_type: "refresh_token", refresh_token: "na1-gone" }),
    ).toBe(400);
    expect(problemsSince(from)).toEqual([]);
  });

  test.each(["2026-03", "2026-09"])("at the token endpoints of %s", async (version) => {
    const from = simulator.requests.length;
    const authorize = new URL("/oauth/authorize", simulator.url);
    authorize.search = new URLSearchParams({
      client_id: SIMULATED_APP.clientId,
      redirect_uri: SIMULATED_APP.redirectUris[0],
      scope: SIMULATED_APP.requiredScopes.join(" "),
    }).toString();
    const callback = new URL(simulator.authorize(authorize.href, { portalId: portal.portalId }));
    const code = callback.searchParams.get("code") ?? "";
    const redirect = { redirect_uri: SIMULATED_APP.redirectUris[0] };
    expect(
      await form(`/oauth/${version}/token`, { grant_type: "authorization_code", code, ...redirect }),
    ).toBe(200);
    const token = portal.accessToken();
    const hint = { token_type_hint: "access_token" };
    expect(await form(`/oauth/${version}/token/introspect`, { token, ...hint })).toBe(200);
    expect(
      await form(`/oauth/${version}/token/revoke`, { token: "na1-gone", token_type_hint: "refresh_token" }),
    ).toBe(204);
    // Secrets are taken out of the log, numbers and all; the schema of the answer is otherwise kept.
    expect(problemsSince(from)).toEqual([]);
  });

  test("which the checks would notice if it were broken", () => {
    const json = { "content-type": "application/json" };
    const enrollUrl = { method: "POST", path: `${SEQUENCES}/enrollments`, headers: json };
    const body = { sequenceId: "1", contactId: "2", senderEmail: "a@acme.example" };
    expect(requestProblems({ ...enrollUrl, query: { userId: "1" }, body })).toEqual([]);
    expect(requestProblems({ ...enrollUrl, query: {}, body })).toEqual(["query parameter userId is missing"]);
    expect(requestProblems({ ...enrollUrl, query: { userId: "1", x: "1" }, body })).toHaveLength(1);
    expect(requestProblems({ ...enrollUrl, query: { userId: "1" } })).toEqual(["lacks its body"]);
    const wrong = { ...body, contactId: 2, senderMail: "a@acme.example" };
    expect(requestProblems({ ...enrollUrl, query: { userId: "1" }, body: wrong })).toHaveLength(2);
    expect(requestProblems({ method: "GET", path: "/crm/v3/owners" })).toHaveLength(1);
    expect(
      requestProblems({ method: "GET", path: "/crm/owners/2026-09", query: { limit: "many" } }),
    ).toHaveLength(1);
    const token = { method: "POST", path: "/oauth/2026-09/token", body: { grant_type: "password" } };
    expect(requestProblems({ ...token, headers: json })).toHaveLength(1);
    expect(
      requestProblems({ ...token, headers: { "content-type": "application/x-www-form-urlencoded" } }),
    ).toHaveLength(1);
    const owner = { method: "GET", path: "/crm/owners/2026-09/1" };
    expect(answerProblems({ ...owner, status: 200, responseBody: { id: 1 } }).length).toBeGreaterThan(1);
    expect(answerProblems({ ...owner, status: 404, responseBody: { message: "no" } })).toHaveLength(2);
  });

  test("and no endpoint is left unchecked", () => {
    const checked = new Set(simulator.requests.map(({ method, path }) => `${method} ${path}`));
    const routes = [...API_ROUTES, ...TOKEN_ROUTES].filter(({ path }) => !WITHOUT_FILE.test(path));
    const unchecked = routes.filter(({ method, path }) => {
      const pattern = new RegExp(`^${method} ${path.replace(/\{\w+\}/g, "[^/]+")}$`);
      return ![...checked].some((entry) => pattern.test(entry));
    });
    expect(unchecked.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });
});
