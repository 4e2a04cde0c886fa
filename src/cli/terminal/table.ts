import Table from "cli-table3";
import { visibleText } from "./visible-text.js";

/** Longer cells are shortened, so that a row stays a line; `--json` has them whole. */
const LONGEST_CELL = 44;

type Cell = string | number | null | undefined;

function cellText(value: Cell): string {
  const text = visibleText(String(value ?? ""));
  const characters = [...text];
  return characters.length > LONGEST_CELL ? `${characters.slice(0, LONGEST_CELL - 1).join("")}…` : text;
}

/** A table for people, without colors. Numbers are aligned to the right. */
export function drawTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const first = rows[0] ?? [];
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (typeof first[index] === "number" ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(row.map(cellText));
  return table.toString();
}

/** One thing, a field a line, nothing shortened; fields without a value are left out. */
export function drawFields(fields: readonly (readonly [name: string, value: Cell])[]): string {
  const shown = fields.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${visibleText(String(value))}`).join("\n");
}
