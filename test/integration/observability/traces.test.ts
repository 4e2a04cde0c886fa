import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import { startTraceCollector, type TraceCollector } from "../../support/trace-collector.js";

const CONTACTS = 3;

describe("traces of calls, with web and worker as processes of their own", () => {
  let collector: TraceCollector;
  let running: RunningApp;

  beforeAll(async () => {
    collector = await startTraceCollector();
    running = await startRunningApp({
      environment: { ROLE: "web", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    });
    await running.startAnother({ ROLE: "worker" });
    const portal = addPlainPortal(running.simulator, { contacts: CONTACTS });
    await running.install(portal);
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    for (const name of ["accept ENROLL", "attempt ENROLL", "complete"])
      await collector.waitFor(name, CONTACTS);
  });
  afterAll(async () => {
    await running.close();
    await collector.close();
  });

  const named = (name: string) => collector.spans.filter((span) => span.name === name);

  test("each call from HubSpot begins a trace, in which the worker's attempt and its completion belong to the call", () => {
    const calls = named("accept ENROLL");
    expect(new Set(calls.map(({ traceId }) => traceId)).size).toBe(CONTACTS);
    for (const call of calls) {
      expect(call.parentSpanId).toBeUndefined();
      expect(call.resource).toMatchObject({
        "service.name": "sequence-enroller",
        "sequence_enroller.role": "web",
      });
      for (const name of ["attempt ENROLL", "complete"]) {
        const [span, ...others] = named(name).filter(({ traceId }) => traceId === call.traceId);
        expect(others).toEqual([]);
        expect(span).toMatchObject({
          parentSpanId: call.spanId,
          resource: { "sequence_enroller.role": "worker" },
        });
      }
    }
  });

  test("the request that enrolls belongs to the attempt, and says how it ended", () => {
    const enrolling = named("POST /automation/sequences/2026-09/enrollments");
    expect(enrolling).toHaveLength(CONTACTS);
    for (const { traceId, parentSpanId, attributes } of enrolling) {
      const attempt = named("attempt ENROLL").find((span) => span.spanId === parentSpanId);
      expect(attempt).toMatchObject({ traceId, attributes: { "sequence_enroller.outcome": "ENROLLED" } });
      expect(attributes["http.response.status_code"]).toBe("200");
    }
  });

  test("spans name request, account and execution, by which log and database are searched", async () => {
    const { rows } = await running.db.database.pool.query<{
      id: string;
      portal_id: string;
      callback_id: string;
    }>("SELECT id, portal_id, callback_id FROM executions ORDER BY id");
    const ids = (name: string, key: string) => named(name).map(({ attributes }) => attributes[key] ?? "");
    expect(ids("complete", "sequence_enroller.execution_id").sort()).toEqual(rows.map(({ id }) => id).sort());
    expect(ids("accept ENROLL", "hubspot.callback_id").sort()).toEqual(
      rows.map(({ callback_id }) => callback_id).sort(),
    );
    expect(new Set(ids("attempt ENROLL", "hubspot.portal_id"))).toEqual(new Set([rows[0]?.portal_id]));
    for (const id of ids("accept ENROLL", "sequence_enroller.request_id")) expect(id).toMatch(/^[\w-]{36}$/);
  });

  test("no span carries an address, a token or a secret", () => {
    const sent = collector.bodies.join("\n");
    expect(sent.length).toBeGreaterThan(1_000);
    expect(sent).not.toMatch(/@|%40|bearer|authorization/i);
    expect(sent).not.toContain(running.environment["HUBSPOT_CLIENT_SECRET"]);
  });
});
