import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { ENROLLMENT_STATUSES } from "#domain/contract/actions/enroll-contract.js";
import { TAB_REFUSALS } from "#web/tab/refuse.js";
import { ERROR_CODES } from "#domain/contract/error-codes.js";
import type { RequestRefusal } from "#web/actions/verified-request.js";

const document = readFileSync("docs/errors.md", "utf8");

/** The rows of the table under a heading, as trimmed cells, without the two header lines. */
function tableUnder(heading: string): string[][] {
  const section = document.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const firstCells = (rows: string[][]): string[] => rows.map(([cell = ""]) => cell.replaceAll("`", ""));

describe("docs/errors.md", () => {
  test("has one row for each error code, in the code's order", () => {
    expect(firstCells(tableUnder("Error codes"))).toEqual([...ERROR_CODES]);
  });

  test("tells for each code what happened, what to do, and whether the app retries", () => {
    for (const row of tableUnder("Error codes")) {
      expect(row).toHaveLength(4);
      for (const cell of row) expect(cell).not.toBe("");
      expect(row[3]).toMatch(/^(no|yes)\b/);
    }
  });

  test("explains every enrollment status", () => {
    expect(new Set(firstCells(tableUnder("Outcomes of the enroll action")))).toEqual(
      new Set(ENROLLMENT_STATUSES),
    );
  });

  test("explains the refusals of the outer contract", () => {
    expect(firstCells(tableUnder("HTTP answers"))).toEqual(
      expect.arrayContaining(["400", "401", "413", "415", "429", "503"]),
    );
  });

  test("explains every refusal of the settings tab, with its status", () => {
    const rows = tableUnder("Settings tab").map(([code = "", status]) => [code.replaceAll("`", ""), status]);
    const refusals = Object.entries(TAB_REFUSALS).map(([code, [status]]) => [code, String(status)]);
    expect(rows).toEqual(refusals);
  });

  test("explains every reason for which a signature is refused", () => {
    const reasons: Record<RequestRefusal, true> = {
      missing: true,
      unsupported_version: true,
      malformed: true,
      stale: true,
      mismatch: true,
      version_not_enough: true,
      proxied: true,
    };
    expect(firstCells(tableUnder("Refused signatures"))).toEqual(Object.keys(reasons));
  });

  test("links only to files that exist", () => {
    const links = [...document.matchAll(/\]\(([^)#]+)\)/g)].map((match) => match[1] ?? "");
    for (const link of links)
      expect(readFileSync(new URL(link, `file://${process.cwd()}/docs/errors.md`)).length).toBeGreaterThan(0);
  });
});
