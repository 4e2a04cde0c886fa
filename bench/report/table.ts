import Table from "cli-table3";
import { isBarMet, type Figure } from "./figures.js";

const PLAIN = { head: [], border: [] };

function number(value: number | undefined): string {
  if (value === undefined) return "";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toFixed(digits);
}

function barText({ bar }: Figure): string {
  if (bar === undefined) return "";
  const sign = bar.atLeast === undefined ? "≤" : "≥";
  return `${sign} ${bar.atLeast ?? bar.atMost}${bar.of === "ratio" ? "×" : ""}`;
}

/** The saved ratio, and how this run's compares with it. */
function baselineText({ ratio }: Figure, saved: number | undefined): string {
  if (ratio === undefined || saved === undefined) return "";
  const change = (ratio / saved - 1) * 100;
  return `${number(saved)}× (${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(0)} %)`;
}

/** All figures, a row each; `baseline` is the ratio of the saved run, by figure id. */
export function renderFigures(figures: readonly Figure[], baseline: ReadonlyMap<string, number>): string {
  const table = new Table({
    head: ["Area", "What", "Ours", "Peer", "Ratio", "Range of runs", "Bar", "", "Baseline"],
    colAligns: ["left", "left", "right", "right", "right", "right", "right", "left", "right"],
    style: PLAIN,
  });
  for (const figure of figures) {
    const isMet = isBarMet(figure);
    const runs = figure.runs ?? [];
    table.push([
      figure.area,
      `${figure.what}, ${figure.unit}`,
      number(figure.ours),
      number(figure.peer),
      figure.ratio === undefined ? "" : `${number(figure.ratio)}×`,
      runs.length < 2 ? "" : `${number(Math.min(...runs))}–${number(Math.max(...runs))}`,
      barText(figure),
      isMet === undefined ? "" : isMet ? "met" : "MISSED",
      baselineText(figure, baseline.get(figure.id)),
    ]);
  }
  return table.toString();
}
