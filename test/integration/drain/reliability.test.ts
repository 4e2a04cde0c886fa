import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { startListener, type Listener } from "../../support/simulated-app.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

describe("what a contact gets when HubSpot, the network or the grant fails", () => {
  let running: RunningApp;
  let webhook: Listener;

  beforeAll(async () => {
    webhook = await startListener(() => 204);
    const environment = { PRIVATE_DESTINATIONS: new URL(webhook.url).host };
    // A kind HubSpot, which shows at once what it did: how many requests each fault costs is counted. never-twice has the lags.
    running = await startRunningApp({ environment });
  });

  afterAll(async () => {
    await running.close();
    await webhook.close();
  });

  async function connectedPortal(contacts: number): Promise<SimulatedPortal> {
    const portal = addPlainPortal(running.simulator, { contacts });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, {
      what: "the directory sync",
    });
    return portal;
  }

  function enrollAll(portal: SimulatedPortal, contactIds = [...portal.contacts.keys()]): WorkflowRun {
    return portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds,
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
  }

  const statusesOf = (run: WorkflowRun): Set<string | undefined> =>
    new Set(run.executions.map(({ outputs }) => outputs["error_code"] || outputs["enrollment_status"]));

  async function row(portal: SimulatedPortal): Promise<Record<string, unknown>> {
    const { rows } = await running.db.database.pool.query(
      `SELECT p.status, p.disconnected_reason, d.circuit_reason, d.circuit_trips,
              extract(epoch FROM d.circuit_open_until - now()) AS circuit_open_for_s
         FROM portals p LEFT JOIN portal_drains d USING (portal_id) WHERE portal_id = $1`,
      [portal.portalId],
    );
    return rows[0] as Record<string, unknown>;
  }

  async function until(holds: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
    const endsAt = Date.now() + timeoutMs;
    while (!(await holds())) {
      if (Date.now() > endsAt) throw new Error("the awaited state did not come");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("an enrollment whose answer was lost is found by reading, not sent again", async () => {
    await Promise.all(
      (["resetAfter", "errorAfter"] as const).map(async (fault) => {
        const portal = await connectedPortal(1);
        running.simulator.failNext({ endpoint: "enroll", fault, portalId: portal.portalId });
        const run = enrollAll(portal);
        await run.finished;
        const contactId = run.executions[0]?.contactId ?? "";
        expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
        expect(portal.enrollments.factsOf(contactId).posts).toBe(1);
        expect(portal.traffic.requestsOf("enrollment-lookup")).toBe(1);
        expect(run.executions[0]?.outputs["enrollment_id"]).toBe(portal.enrollments.latestOf(contactId)?.id);
        expect(run.executions[0]?.outputs["sender_email"]).not.toBe("");
      }),
    );
  });

  test("a request that did nothing (reset, 5xx, 423, 429) is sent again until the contact is enrolled, once", async () => {
    const faults = ["resetBefore", "errorBefore", "locked", "throttled", "throttledRetryAfter"] as const;
    await Promise.all(
      faults.map(async (fault) => {
        const portal = await connectedPortal(1);
        running.simulator.failNext({ endpoint: "enroll", fault, portalId: portal.portalId });
        const run = enrollAll(portal);
        await run.finished;
        expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
        expect(portal.enrollments.factsOf(run.executions[0]?.contactId ?? "").accepted).toBe(1);
      }),
    );
  });

  test("a 4xx page from a proxy in front of HubSpot does not count as HubSpot's: the contact is still enrolled, and no sender is marked", async () => {
    await Promise.all(
      [403, 404, 400].map(async (status) => {
        const portal = await connectedPortal(1);
        const { portalId } = portal;
        running.simulator.failNext({ endpoint: "enroll", fault: "edgePage", portalId, status });
        const run = enrollAll(portal);
        await run.finished;
        expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
        // The page could also have come after HubSpot had done its work: read before anything is sent again.
        expect(portal.traffic.requestsOf("enrollment-lookup")).toBe(1);
        const { rowCount } = await running.db.database.pool.query(
          `SELECT FROM senders WHERE portal_id = $1 AND refused_code IS NOT NULL`,
          [portalId],
        );
        expect(rowCount).toBe(0);
      }),
    );
  });

  test("a batch of completions with one HubSpot does not hold is sent one by one; the others are completed", async () => {
    const portal = await connectedPortal(5);
    const run = enrollAll(portal);
    await run.answered;
    // One more call that HubSpot itself does not hold, in the same batch or not: it must not spoil the others.
    const body = JSON.stringify({
      ...JSON.parse(run.executions[0]?.payload ?? "{}"),
      callbackId: "ap-nobody-waits",
    });
    const url = running.publicUrl + ENROLL_ROUTE;
    await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...running.simulator.sign({ method: "POST", url, body }),
      },
      body,
    });
    await run.finished;
    await running.simulator.waitFor(() => portal.callbacks.strangers.has("ap-nobody-waits"));
    expect(run.counts().completed).toBe(5);
    // HubSpot might only be slow to read our answer: refused for good is what it refuses a minute later too.
    const stateIs = (state: string) => async () => {
      const { rowCount } = await running.db.database.pool.query(
        `SELECT FROM executions WHERE callback_id = 'ap-nobody-waits' AND state = $1 AND completion_tries > 0`,
        [state],
      );
      return rowCount === 1;
    };
    await until(stateIs("DECIDED"));
    await running.db.database.pool.query(
      `UPDATE executions SET decided_at = decided_at - interval '1 minute', due_at = now() - interval '1 millisecond' WHERE callback_id = 'ap-nobody-waits'`,
    );
    await until(stateIs("COMPLETION_REFUSED"));
  });

  test("completions refused for the app's missing scopes are sent again together, not one by one, until they are taken", async () => {
    const portal = await connectedPortal(5);
    portal.withdrawScopes(["automation"]);
    const run = enrollAll(portal);
    await run.answered;
    // By the batch each request is a try of several, or of one alone where only that was owed; by singles it is one request more.
    await until(async () => {
      const { rows } = await running.db.database.pool.query<{ least: number; all: number }>(
        `SELECT min(completion_tries)::int AS least, sum(completion_tries)::int AS all
           FROM executions WHERE portal_id = $1`,
        [portal.portalId],
      );
      const [{ least, all } = { least: 0, all: 0 }] = rows;
      return least >= 2 && portal.traffic.requestsOf("callbacks") <= all;
    });
    await running.install(portal);
    await run.finished;
    expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
  });

  test("a completion whose answer was lost is sent again", async () => {
    const portal = await connectedPortal(1);
    running.simulator.failNext({ endpoint: "callbacks", fault: "resetAfter", portalId: portal.portalId });
    const run = enrollAll(portal);
    await run.finished;
    await running.simulator.waitFor(() => (portal.callbacks.all()[0]?.received.length ?? 0) === 2);
    expect(portal.enrollments.factsOf(run.executions[0]?.contactId ?? "").posts).toBe(1);
  });

  test("while the token endpoint is down work waits, nothing fails, and the portal stays connected", async () => {
    const portal = await connectedPortal(8);
    portal.expireAccessTokens();
    running.simulator.setTokenEndpoint("outage");
    const run = enrollAll(portal);
    await run.answered;
    await until(async () => Number((await row(portal))["circuit_trips"]) > 0);
    expect(await row(portal)).toMatchObject({ status: "CONNECTED" });
    expect((await row(portal))["circuit_reason"]).not.toBeNull();
    expect(run.counts()).toMatchObject({ blocked: 8, completed: 0 });
    running.simulator.setTokenEndpoint("ok");
    await run.finished;
    expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
    await until(async () => Number((await row(portal))["circuit_trips"]) === 0);
  });

  test("a dead grant disconnects the portal, parks its work, alerts its admin; a reinstall resumes it", async () => {
    const portal = await connectedPortal(3);
    await running.db.database.prisma.portalSettings.upsert({
      where: { portalId: BigInt(portal.portalId) },
      create: { portalId: BigInt(portal.portalId), alertWebhookUrl: webhook.url },
      update: { alertWebhookUrl: webhook.url },
    });
    portal.uninstall();
    const run = enrollAll(portal);
    await run.answered;
    await until(async () => (await row(portal))["status"] === "DISCONNECTED");
    await until(() => Promise.resolve(webhook.received.length > 0));
    expect(JSON.parse(webhook.received[0]?.body ?? "{}")).toMatchObject({
      kind: "PORTAL_DISCONNECTED",
      portalId: String(portal.portalId),
    });
    expect(run.counts()).toMatchObject({ blocked: 3 });

    const late = enrollAll(portal, [...portal.contacts.keys()].slice(0, 1));
    await late.finished;
    expect(statusesOf(late)).toEqual(new Set(["NOT_CONNECTED"]));

    await running.install(portal);
    await run.finished;
    expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
    expect(portal.enrollments.total).toBe(3);
  });

  test("a Retry-After of the token endpoint is heeded: the portal rests, for a quarter of an hour at most", async () => {
    const portal = await connectedPortal(1);
    portal.expireAccessTokens();
    running.simulator.failNext({ endpoint: "token", fault: "migrating", ms: 3_600_000 });
    const run = enrollAll(portal);
    await run.answered;
    await until(async () => Number((await row(portal))["circuit_trips"]) > 0);
    expect(Number((await row(portal))["circuit_open_for_s"])).toBeGreaterThan(800);
    expect(Number((await row(portal))["circuit_open_for_s"])).toBeLessThanOrEqual(900);
    await running.install(portal);
    await run.finished;
    expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
  });

  test("an app whose credentials HubSpot refuses disconnects nobody", async () => {
    const portal = await connectedPortal(2);
    portal.expireAccessTokens();
    running.simulator.setTokenEndpoint("invalid_client");
    const run = enrollAll(portal);
    await run.answered;
    await until(() =>
      Promise.resolve(running.logLines.some((line) => JSON.stringify(line).includes("APP_MISCONFIGURED"))),
    );
    expect(await row(portal)).toMatchObject({ status: "CONNECTED" });
    // New calls keep coming: the token endpoint is not asked again for each of them, and they wait.
    await until(async () => Number((await row(portal))["circuit_open_for_s"]) > 30);
    await until(async () => {
      const { rowCount } = await running.db.database.pool.query(
        `SELECT FROM executions WHERE portal_id = $1 AND state = 'QUEUED'`,
        [portal.portalId],
      );
      return rowCount === 2;
    });
    running.simulator.setTokenEndpoint("ok");
    await running.install(portal);
    await run.finished;
    expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
  });

  test("a region move with a long Retry-After opens the portal's circuit instead of burning its budget", async () => {
    const portal = await connectedPortal(1);
    running.simulator.failNext({
      endpoint: "enroll",
      fault: "migrating",
      portalId: portal.portalId,
      times: 1,
      ms: 3_600_000,
    });
    const run = enrollAll(portal);
    await run.answered;
    await until(async () => Number((await row(portal))["circuit_trips"]) > 0);
    const spent = portal.traffic.counted;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(portal.traffic.counted).toBe(spent);
    // The account has moved; a reinstall (or time) closes the circuit.
    await running.install(portal);
    await run.finished;
    expect(statusesOf(run)).toEqual(new Set(["ENROLLED"]));
  });

  test("an execution that makes the worker fail is isolated, with its stack in the log, and holds up nobody", async () => {
    const portal = await connectedPortal(2);
    await until(async () => {
      const { rowCount } = await running.db.database.pool.query(
        `UPDATE portal_drains SET circuit_open_until = now() + interval '1 hour', circuit_trips = 1
          WHERE portal_id = $1 AND is_released`,
        [portal.portalId],
      );
      return rowCount === 1;
    });
    const run = enrollAll(portal);
    await run.answered;
    const [poisoned] = run.executions;
    await running.db.database.pool.query(
      `UPDATE executions SET request = 'null'::jsonb, crashes = 9, state = 'QUEUED', due_at = now() - interval '1 millisecond' WHERE callback_id = $1`,
      [poisoned?.callbackId],
    );
    await running.install(portal);
    await run.finished;
    expect(run.executionOf(poisoned?.contactId ?? "").outputs).toMatchObject({
      enrollment_status: "FAILED",
      error_code: "HUBSPOT_REJECTED",
    });
    expect(run.executions[1]?.outputs).toMatchObject({ enrollment_status: "ENROLLED" });
    const logged = running.logLines.find((line) => line["msg"] === "an execution made the worker fail");
    expect(JSON.stringify(logged)).toContain("stack");
  });
});

describe("an execution that cannot be finished before its deadline", () => {
  test("is completed as HUBSPOT_UNAVAILABLE if HubSpot was down, before it lets go", async () => {
    const running = await startRunningApp({ environment: { EXECUTION_DEADLINE_HOURS: String(4 / 3_600) } });
    try {
      const portal = addPlainPortal(running.simulator, { contacts: 2 });
      await running.install(portal);
      await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0);
      running.simulator.setFaults({ enroll: { errorBefore: 1 }, "enrollment-lookup": { errorBefore: 1 } });
      const run = portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds: [...portal.contacts.keys()],
        inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
        objectProperties: [...REQUESTED_PROPERTIES],
      });
      await run.finished;
      for (const { outputs } of run.executions) {
        expect(outputs).toMatchObject({ enrollment_status: "FAILED", error_code: "HUBSPOT_UNAVAILABLE" });
      }
      expect(portal.enrollments.total).toBe(0);
    } finally {
      await running.close();
    }
  });
});
