import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { RecordedRequest } from "../../src/simulator/world/request-log.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { requestValidator, specDirectory } from "../support/openapi.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const directory = specDirectory();
if (directory === undefined) {
  console.warn(
    "Skipped: HubSpot's OpenAPI files are not here; set HUBSPOT_SPEC_DIR to check our requests against them.",
  );
}

const SEQUENCES = "/automation/sequences/2026-09";
const CALLBACKS = "/automation/actions/callbacks/2026-09";

/** Every endpoint the app knows; each has to be met at least once below. */
const ENDPOINTS: readonly [name: string, method: string, path: RegExp, status: number][] = [
  ["exchange or refresh of tokens", "POST", /^\/oauth\/2026-09\/token$/, 200],
  ["introspection", "POST", /^\/oauth\/2026-09\/token\/introspect$/, 200],
  ["list of sequences", "GET", new RegExp(`^${SEQUENCES}$`), 200],
  ["enrollment", "POST", new RegExp(`^${SEQUENCES}/enrollments$`), 200],
  [
    "enrollment lookup, after an answer that was lost",
    "GET",
    new RegExp(`^${SEQUENCES}/enrollments/contact/\\d+$`),
    200,
  ],
  ["completion of many", "POST", new RegExp(`^${CALLBACKS}/complete$`), 204],
  [
    "completion of one, after a batch that was refused",
    "POST",
    new RegExp(`^${CALLBACKS}/[^/]+/complete$`),
    204,
  ],
  ["list of owners", "GET", /^\/crm\/owners\/2026-09$/, 200],
  ["one owner", "GET", /^\/crm\/owners\/2026-09\/\d+$/, 200],
  ["list of users", "GET", /^\/settings\/users\/2026-03$/, 200],
  ["the user who signs in", "GET", /^\/settings\/users\/2026-03\/\d+$/, 200],
  ["one contact", "GET", /^\/crm\/objects\/2026-09\/contacts\/\d+$/, 200],
  ["many contacts", "POST", /^\/crm\/objects\/2026-09\/contacts\/batch\/read$/, 200],
  ["list of workflows", "GET", /^\/automation\/v4\/flows$/, 200],
  ["many workflows", "POST", /^\/automation\/v4\/flows\/batch\/read$/, 200],
  ["old numbers of workflows", "POST", /^\/automation\/v4\/workflow-id-mappings\/batch\/read$/, 200],
  ["account details", "GET", /^\/account-info\/2026-09\/details$/, 200],
];

const CHIRP = {
  applicationGroup: "group",
  applicationId: "application",
  metadata: {},
  otelContextHolder: {},
  unstructuredSources: ["NONE"],
};

/** Contexts of callers other than workflows, as HubSpot's schema has them. */
const CALLERS: readonly [source: string, context: Record<string, unknown>][] = [
  ["AGENTS", { source: "AGENTS", agentId: 12, chirpAiContextObject: CHIRP, trajectoryId: "t" }],
  ["COPILOT", { source: "COPILOT", trajectoryId: "t" }],
  ["STANDALONE", { source: "STANDALONE", chirpAiContextObject: CHIRP }],
  ["TEST", { source: "TEST" }],
];

const suite = directory === undefined ? describe.skip : describe;

suite("every request of a whole journey keeps HubSpot's published contract", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let problemsOf: ReturnType<typeof requestValidator>;
  let sequenceId: string;

  beforeAll(async () => {
    problemsOf = requestValidator(directory ?? "");
    running = await startRunningApp({
      simulator: { recordRequests: true, openQuestions: { enrollNotFound: "bare" } },
    });
    portal = addPlainPortal(running.simulator, { contacts: 12, sequences: 130 });
    sequenceId = [...portal.sequences.keys()][0] ?? "";
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, {
      what: "the directory sync",
    });
  });

  afterAll(() => running.close());

  const contact = (index: number): string => [...portal.contacts.keys()][index] ?? "";

  async function send(
    contactIds: readonly string[],
    changes: { inputs?: Record<string, string>; objectProperties?: string[] } = {},
  ): Promise<WorkflowRun> {
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds,
      inputs: { sequence_id: sequenceId, sender_mode: "contact_owner", ...changes.inputs },
      objectProperties: changes.objectProperties ?? [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    return run;
  }

  const statusesOf = (run: WorkflowRun): (string | undefined)[] =>
    run.executions.map(({ outputs }) => outputs["error_code"] || outputs["enrollment_status"]);

  const requestsTo = (name: string): RecordedRequest[] => {
    const [, method, path, status] = ENDPOINTS.find(([known]) => known === name) ?? [];
    return running.simulator.requests.filter(
      (request) => request.method === method && path?.test(request.path) && request.status === status,
    );
  };

  test("enrolling several contacts, and completing them together", async () => {
    expect(statusesOf(await send([contact(0), contact(1), contact(2)]))).toEqual(Array(3).fill("ENROLLED"));
    expect(requestsTo("completion of many").length).toBeGreaterThan(0);
  });

  test("enrolling from an alias", async () => {
    for (const user of portal.users.values()) user.aliases = ["sales@acme.example"];
    expect(statusesOf(await send([contact(3)], { inputs: { sender_alias: "sales@acme.example" } }))).toEqual([
      "ENROLLED",
    ]);
    expect(requestsTo("enrollment").map(({ body }) => body)).toContainEqual(
      expect.objectContaining({ senderAliasAddress: "sales@acme.example" }),
    );
  });

  test("reading an owner that the directory does not know", async () => {
    const newcomer = portal.addUser({ email: "new@acme.example", inboxAddress: "new@acme.example" });
    const { ownerId } = portal.ownerOfUser(newcomer.userId);
    const { id } = portal.addContact({ properties: { hubspot_owner_id: ownerId } });
    expect(statusesOf(await send([id]))).toEqual(["ENROLLED"]);
    expect(requestsTo("one owner").map(({ path }) => path)).toEqual([`/crm/owners/2026-09/${ownerId}`]);
  });

  test("reading a user that the directory does not know", async () => {
    const { userId } = portal.addUser({ email: "newer@acme.example", inboxAddress: "newer@acme.example" });
    const { id } = portal.addContact();
    const inputs = { sender_mode: "specific_user", sender_user_id: String(userId) };
    expect(statusesOf(await send([id], { inputs }))).toEqual(["ENROLLED"]);
    expect(requestsTo("one owner").at(-1)).toMatchObject({
      path: `/crm/owners/2026-09/${userId}`,
      query: { idProperty: "userId" },
    });
  });

  test("reading a contact that came without properties", async () => {
    expect(statusesOf(await send([contact(4)], { objectProperties: [] }))).toEqual(["ENROLLED"]);
  });

  test("looking an enrollment up after its answer was lost", async () => {
    running.simulator.failNext({ endpoint: "enroll", fault: "resetAfter" });
    expect(statusesOf(await send([contact(5)]))).toEqual(["ENROLLED"]);
    expect(requestsTo("enrollment lookup, after an answer that was lost")).toHaveLength(1);
  });

  test("asking for the contact after a 404 that does not say what is missing", async () => {
    expect(statusesOf(await send([contact(6)], { inputs: { sequence_id: "5555" } }))).toEqual([
      "SEQUENCE_NOT_FOUND",
    ]);
  });

  test("completing one by one after a batch was refused", async () => {
    const url = running.publicUrl + ENROLL_ROUTE;
    const inputFields = { sequence_id: sequenceId, sender_mode: "contact_owner" };
    portal.callbacks.expect("ap-known-1");
    // HubSpot does not hold the second, so the batch of both is refused.
    await Promise.all(
      ["ap-known-1", "ap-unknown-1"].map(async (callbackId, index) => {
        const body = JSON.stringify({
          callbackId,
          origin: { portalId: portal.portalId },
          object: {
            objectId: Number(contact(7 + index)),
            properties: portal.propertiesOf(contact(7 + index)),
          },
          inputFields,
        });
        const headers = running.simulator.sign({ method: "POST", url, body });
        await fetch(url, {
          method: "POST",
          headers: { ...headers, "content-type": "application/json" },
          body,
        });
      }),
    );
    await running.simulator.waitFor(() => portal.callbacks.get("ap-known-1")?.accepted !== undefined);
    expect(requestsTo("completion of one, after a batch that was refused").length).toBeGreaterThan(0);
  });

  test("refreshing the token once HubSpot no longer takes it", async () => {
    running.simulator.expireAccessTokens(portal.portalId);
    expect(statusesOf(await send([contact(9)]))).toEqual(["ENROLLED"]);
    const grants = requestsTo("exchange or refresh of tokens").map(
      ({ body }) => (body as Record<string, string>)["grant_type"],
    );
    expect(grants).toEqual(["authorization_code", "refresh_token"]);
  });

  test("waiting for a sequence to end, which reads many contacts at once", async () => {
    const contactId = contact(10);
    portal.enrollInUi(contactId, { agoMs: 86_400_000 });
    const run = portal.runAction({
      actionUrl: running.publicUrl + WAIT_FOR_SEQUENCE_END_ROUTE,
      contactIds: [contactId],
      inputs: {},
      objectProperties: [],
    });
    await run.answered;
    portal.endEnrollment(contactId, "finished");
    await running.db.database.pool.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE state = 'WATCHING'`,
    );
    await run.finished;
    expect(run.executions[0]?.outputs).toMatchObject({ outcome: "FINISHED" });
  });

  test.each(CALLERS)("checking for a caller of %s, which gets its context back", async (_source, context) => {
    const run = portal.runAction({
      actionUrl: running.publicUrl + CHECK_ENROLLMENT_ROUTE,
      contactIds: [contact(11)],
      inputs: {},
      objectProperties: [],
      context,
    });
    await run.finished;
    const callbackId = run.executions[0]?.callbackId ?? "";
    expect(portal.callbacks.get(callbackId)?.accepted?.requestContext).toEqual(context);
  });

  test("reading the workflows again once our step in them is known", async () => {
    // The first call told our action's number; until then the step is anybody's.
    await running.simulator.waitFor(() => requestsTo("old numbers of workflows").length > 0, {
      what: "the old number of the workflow that has our step",
    });
    expect(requestsTo("many workflows").at(-1)?.body).toMatchObject({
      inputs: expect.arrayContaining([{ type: "FLOW_ID", flowId: portal.flows.all()[0]?.id }]),
    });
  });

  test("the lists were read to their end, page by page", () => {
    const lists = requestsTo("list of sequences");
    const cursors = lists
      .filter(({ query }) => query["userId"] === lists[0]?.query["userId"])
      .map(({ query }) => query["after"]);
    expect(cursors).toHaveLength(2);
    expect(cursors[1]).toBeDefined();
  });

  test.each(ENDPOINTS)("%s was asked for", (name) => {
    expect(requestsTo(name).length).toBeGreaterThan(0);
  });

  test("and each request is valid, with no endpoint besides these", () => {
    const { requests } = running.simulator;
    const problems = requests.flatMap((request) =>
      problemsOf(request).map((problem) => `${request.method} ${request.path}: ${problem}`),
    );
    expect(problems).toEqual([]);
    const strangers = requests.filter(
      ({ method, path }) => !ENDPOINTS.some(([, known, pattern]) => known === method && pattern.test(path)),
    );
    expect(strangers.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test("and the app counted no answer beyond the requests that were checked", async () => {
    const metrics = await (await fetch(`${running.publicUrl}/metrics`)).text();
    const counted = [...metrics.matchAll(/^sequence_enroller_hubspot_requests_total\{.*\} (\d+)$/gm)];
    const answered = running.simulator.requests.filter(
      ({ endpoint, status }) => endpoint !== "token" && status > 0,
    );
    expect(counted.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(answered.length);
  });
});
