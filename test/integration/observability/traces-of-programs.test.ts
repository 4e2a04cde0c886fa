import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import { startTraceCollector, type TraceCollector } from "../../support/trace-collector.js";

const ROWS = 2;

describe("traces of what programs and files ask for, with web and worker as processes of their own", () => {
  let collector: TraceCollector;
  let running: RunningApp;
  let api: ApiClient;
  let sequenceId: string;
  let addresses: string[];

  beforeAll(async () => {
    collector = await startTraceCollector();
    running = await startRunningApp({
      environment: { ROLE: "web", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
      workIntervals: { workImports: 50 },
    });
    await running.startAnother({ ROLE: "worker" });
    const portal = addPlainPortal(running.simulator);
    await running.install(portal);
    api = createApiClient(running.publicUrl, await giveKey(running.db.database, portal.portalId));
    sequenceId = [...portal.sequences.keys()][0] ?? "";
    const owner = [...portal.owners.keys()][0] ?? "";
    addresses = Array.from({ length: 1 + 2 * ROWS }, (_, index) => `one${index}@lead.example`);
    for (const email of addresses) portal.addContact({ properties: { email, hubspot_owner_id: owner } });
    const { pool } = running.db.database;
    while ((await pool.query("SELECT FROM sequences WHERE is_listed")).rowCount === 0)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });
  afterAll(async () => {
    await running.close();
    await collector.close();
  });

  const named = (name: string) => collector.spans.filter((span) => span.name === name);

  /** The attempts of whatever one span accepted, each of another process. */
  async function expectAttemptsOf(name: string, count: number): Promise<void> {
    await collector.waitFor(name, 1);
    const [accepting] = named(name);
    const mine = () =>
      named("attempt ENROLL").filter(
        ({ traceId, parentSpanId }) => traceId === accepting?.traceId && parentSpanId === accepting?.spanId,
      );
    while (mine().length < count)
      await collector.waitFor("attempt ENROLL", named("attempt ENROLL").length + 1);
    for (const { attributes, resource } of mine()) {
      expect(attributes["sequence_enroller.outcome"]).toBe("ENROLLED");
      expect(resource["sequence_enroller.role"]).toBe("worker");
    }
  }

  const wish = (email: string | undefined) => ({
    contact: { email },
    sequence: { id: sequenceId },
    sender: { mode: "contact_owner" },
  });

  test("an enrollment by the API belongs to its call", async () => {
    const { status } = await api.post("/api/v1/enrollments", wish(addresses[0]));
    expect(status).toBe(202);
    await expectAttemptsOf("accept api", 1);
  });

  test("rows of a batch belong to what accepted them", async () => {
    const inputs = addresses.slice(1, 1 + ROWS).map(wish);
    expect((await api.post("/api/v1/enrollments/batch", { inputs })).status).toBe(200);
    await expectAttemptsOf("accept batch", ROWS);
  });

  test("rows of an import belong to the worker's step that handed them over", async () => {
    const file = ["Email", ...addresses.slice(1 + ROWS)].join("\n");
    const headers = { "Content-Type": "text/csv" };
    const { body } = await api.post("/api/v1/imports?name=Leads", file, headers);
    const defaults = { sequence: { id: sequenceId }, sender: { mode: "contact_owner" } };
    await api.ask("PATCH", `/api/v1/imports/${body.id}`, { body: { defaults } });
    expect((await api.post(`/api/v1/imports/${body.id}/start`)).status).toBe(202);
    await expectAttemptsOf("accept import", ROWS);
  });

  test("none of their spans carries an address or a key", () => {
    const sent = collector.bodies.join("\n");
    expect(sent.length).toBeGreaterThan(1_000);
    expect(sent).not.toMatch(/@|%40|bearer|authorization/i);
  });
});
