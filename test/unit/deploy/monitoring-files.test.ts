import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { promtool, runPromtool } from "../../support/promtool.js";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const RULES = join(ROOT, "deploy/prometheus/alerts.yml");

/** How GitHub and most others make a heading's anchor. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replace(/ /g, "-");
}

describe("the files for Prometheus and Grafana", () => {
  const withPromtool = promtool === undefined && process.env["CI"] === undefined ? test.skip : test;

  withPromtool("rules are what Prometheus accepts", () => {
    const { status, output } = runPromtool(["check", "rules", RULES]);
    expect({ status, output }).toMatchObject({ status: 0 });
  });

  withPromtool("rules fire in the scenarios they are for, and in no others", () => {
    const { status, output } = runPromtool(["test", "rules", RULES.replace(".yml", ".test.yml")]);
    expect({ status, output }).toMatchObject({ status: 0 });
  });

  test("every alert rule links to a section of the runbook that exists", () => {
    const rules = read("deploy/prometheus/alerts.yml");
    const alerts = rules.match(/^\s+- alert: /gm) ?? [];
    const links = [...rules.matchAll(/runbook_url: (\S+)#(\S+)/g)].map(([, file = "", anchor = ""]) => ({
      file,
      anchor,
    }));
    expect(alerts.length).toBeGreaterThan(10);
    expect(links).toHaveLength(alerts.length);
    for (const { file, anchor } of links) {
      const anchors = [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
      expect(anchors).toContain(anchor);
    }
  });

  test("every link within the runbook leads to a section of it", () => {
    const text = read("docs/runbook.md");
    const anchors = new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
    const links = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = ""]) => anchor);
    expect(links.filter((anchor) => !anchors.has(anchor))).toEqual([]);
  });
});
