import Table from "cli-table3";
import { visibleText } from "./visible-text.js";

/** Longer cells are shortened, so that a row stays a line; `--json` has them whole. */
const LONGEST_CELL = 44;
/** No column gets narrower, however many there are. */
const NARROWEST_COLUMN = 6;
const GAP = "  ";

export type Cell = string | number | null | undefined;

function cellText(value: Cell): string {
  const text = visibleText(String(value ?? ""));
  const characters = [...text];
  return characters.length > LONGEST_CELL ? `${characters.slice(0, LONGEST_CELL - 1).join("")}…` : text;
}

/** Without lines around it: blanks separate columns, for eyes and for `awk`. */
const NO_LINES = Object.fromEntries(
  [
    "top",
    "top-mid",
    "top-left",
    "top-right",
    "bottom",
    "bottom-mid",
    "bottom-left",
    "bottom-right",
    "left",
    "left-mid",
    "mid",
    "mid-mid",
    "right",
    "right-mid",
  ].map((name) => [name, ""]),
);

/** Takes from the widest columns until a row fits. */
function fitted(widths: readonly number[], width: number): number[] {
  const fitting = [...widths];
  let excess = fitting.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width;
  for (; excess > 0; excess -= 1) {
    const widest = fitting.indexOf(Math.max(...fitting));
    if ((fitting[widest] ?? 0) <= NARROWEST_COLUMN) break;
    fitting[widest] = (fitting[widest] ?? 0) - 1;
  }
  return fitting;
}

/**
 * A table for people, without colors. Numbers are aligned to the right.
 *
 * @param width of the terminal, in characters: longer cells are cut to fit it; undefined: nobody's, nothing is cut for it
 */
export function drawTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  width: number | undefined,
): string {
  const [first = []] = rows;
  const texts = rows.map((row) => row.map(cellText));
  const natural = head.map((title, column) =>
    Math.max(...[title, ...texts.map((row) => row[column] ?? "")].map((text) => [...text].length)),
  );
  const table = new Table({
    head: [...head],
    chars: { ...NO_LINES, middle: GAP },
    colAligns: head.map((_, index) => (typeof first[index] === "number" ? "right" : "left")),
    ...(width === undefined ? {} : { colWidths: fitted(natural, width) }),
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
  });
  table.push(...texts);
  const lines = table.toString().split("\n");
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** One thing, a field a line, nothing shortened; fields without a value are left out. */
export function drawFields(fields: readonly (readonly [name: string, value: Cell])[]): string {
  const shown = fields.filter(([, value]) => value !== null && value !== undefined && value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${visibleText(String(value))}`).join("\n");
}
