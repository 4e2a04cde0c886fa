import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { promtool, runPromtool } from "../../support/promtool.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const WORKER_TOKEN = "a-token-of-the-operator";

/** What names one of our metrics, or one of those that Node's own collector serves. */
const NAME = /\b(?:sequence_enroller|nodejs|process)_[a-z0-9_]+/g;

/** Histograms are served as three series. */
const SERIES = /_(?:bucket|sum|count)$/;

describe("what /metrics serves", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let web: string;
  let worker: string;

  beforeAll(async () => {
    running = await startRunningApp({ environment: { ROLE: "web" } });
    const another = await running.startAnother({ ROLE: "worker", METRICS_TOKEN: WORKER_TOKEN });
    portal = addPlainPortal(running.simulator, { contacts: 5 });
    await running.install(portal);
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    await fetch(running.publicUrl + ENROLL_ROUTE, { method: "POST" });
    web = await (await fetch(`${running.publicUrl}/metrics`)).text();
    const headers = { authorization: `Bearer ${WORKER_TOKEN}` };
    worker = await (await fetch(`http://localhost:${another.address.port}/metrics`, { headers })).text();
  });
  afterAll(() => running.close());

  const value = (text: string, series: string): number =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`${series} `))
        ?.split(" ")[1],
    );

  test("a web process counts calls and how long they took to store, and who was refused", () => {
    expect(value(web, 'sequence_enroller_calls_accepted_total{result="stored"}')).toBe(5);
    expect(value(web, "sequence_enroller_accept_duration_seconds_count")).toBe(5);
    expect(value(web, 'sequence_enroller_signatures_refused_total{reason="missing"}')).toBe(1);
  });

  test("a worker counts attempts, completions, and requests by route without their ids", () => {
    expect(value(worker, 'sequence_enroller_attempts_total{kind="ENROLL",outcome="ENROLLED"}')).toBe(5);
    expect(value(worker, 'sequence_enroller_completions_total{result="completed"}')).toBe(5);
    const enrolled = `sequence_enroller_hubspot_requests_total{method="POST",route="/automation/sequences/2026-09/enrollments",status="200"}`;
    expect(value(worker, enrolled)).toBe(5);
    expect(worker).toContain(
      'sequence_enroller_hubspot_request_duration_seconds_count{route="/automation/sequences/2026-09/enrollments"} 5',
    );
  });

  test("both tell what all accounts have waiting, and how large the database is", () => {
    for (const text of [web, worker]) {
      expect(value(text, 'sequence_enroller_executions{state="QUEUED"}')).toBe(0);
      expect(value(text, 'sequence_enroller_portals{status="CONNECTED"}')).toBe(1);
      expect(value(text, "sequence_enroller_portals_unattended")).toBe(0);
      expect(value(text, "sequence_enroller_database_size_bytes")).toBeGreaterThan(1_000_000);
      expect(text).toMatch(
        /^sequence_enroller_build_info\{version="\d[^"]*",node="v\d[^"]*",role="\w+"\} 1$/m,
      );
    }
  });

  test("no label names an account, a contact or a user", () => {
    const ids = [portal.portalId, portal.admin.userId, ...portal.users.keys()].map(String);
    for (const text of [web, worker]) {
      const labels = [...text.matchAll(/="([^"]*)"/g)].map(([, label = ""]) => label);
      expect(
        labels.filter(
          (label) => ids.includes(label) || /\d{4,}(?!-)/.test(label.replace(/20\d\d-\d\d/g, "")),
        ),
      ).toEqual([]);
    }
  });

  test("every metric that the alert rules, the dashboard and the document name is served", () => {
    const served = new Set([...`${web}${worker}`.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    for (const file of [
      "deploy/prometheus/alerts.yml",
      "deploy/grafana/sequence-enroller.json",
      "docs/metrics.md",
      "docs/runbook.md",
    ]) {
      const named = new Set(read(file).match(NAME));
      expect(named.size).toBeGreaterThan(2);
      expect([...named].filter((name) => !served.has(name) && !served.has(name.replace(SERIES, "")))).toEqual(
        [],
      );
    }
  });

  test("each of our metrics is explained in the document", () => {
    const text = read("docs/metrics.md");
    const ours = [...`${web}${worker}`.matchAll(/^# TYPE (sequence_enroller_\S+)/gm)].map(
      ([, name = ""]) => name,
    );
    expect(ours.length).toBeGreaterThan(25);
    expect(ours.filter((name) => !text.includes(name))).toEqual([]);
  });

  (promtool === undefined && process.env["CI"] === undefined ? test.skip : test)(
    "names, units and help are as Prometheus asks for",
    () => {
      for (const text of [web, worker]) {
        const { output } = runPromtool(["check", "metrics"], text);
        // Node's collector has two names that promtool would choose otherwise.
        const ours = output.split("\n").filter((line) => line.startsWith("sequence_enroller_"));
        expect(ours).toEqual([]);
        expect(output).not.toMatch(/error while linting/);
      }
    },
  );
});
