import { readFileSync } from "node:fs";
import type { Figure } from "../report/figures.js";

/** All that a process serves waits that long: signs of life of its leases, answers to HubSpot, pages. */
const LONGEST_MS = 100;

/** The longest halts of the event loops of the app's processes during one part, by role. */
export class Halts {
  readonly #longestMs = new Map<string, number>();

  /** @param file what a process wrote (halt-watch.mjs); one that wrote nothing was hardly there. */
  note(role: string, file: string): void {
    const ms = Number(readText(file) || Number.NaN);
    if (Number.isNaN(ms)) return;
    this.#longestMs.set(role, Math.max(ms, this.#longestMs.get(role) ?? 0));
  }

  /** One figure for each role that ran. */
  figures(part: string): Figure[] {
    return [...this.#longestMs].map(([role, ms]) => ({
      id: `${part}-halt-${role}`,
      area: part,
      unit: "ms",
      what: `longest halt of the event loop, ROLE=${role}`,
      ours: ms,
      bar: { of: "ours" as const, atMost: LONGEST_MS },
    }));
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
