import type { SimulatedPortal } from "../simulator/portal.js";
import type { RunCounts } from "../simulator/workflow/run-request.js";
import type { WorkflowRun } from "../simulator/workflow/run.js";
import { RATE_LIMIT } from "./demo-report.js";

const BAR_LENGTH = 30;
const LOOK_MS = 200;
/** Elsewhere than on a terminal, where a line cannot be written over. */
const LINE_MS = 2_000;
/** From this share of the limit on, there is hardly room for another batch. */
const FULL = 0.75;

interface Look {
  readonly atMs: number;
  /** Requests so far. */
  readonly requests: number;
}

/** In how many seconds HubSpot's limit lets requests through again; undefined: it does now. `looks`: the oldest first. */
export function limitedForSeconds(looks: readonly Look[]): number | undefined {
  const now = looks.at(-1);
  if (now === undefined) return undefined;
  const begin = now.atMs - RATE_LIMIT.windowMs;
  const before = looks.filter(({ atMs }) => atMs <= begin).at(-1)?.requests ?? looks[0]?.requests ?? 0;
  if (now.requests - before < FULL * RATE_LIMIT.requests) return undefined;
  const first = looks.find(({ atMs, requests }) => atMs > begin && requests > before);
  const leftMs = (first?.atMs ?? now.atMs) - begin;
  return Math.max(1, Math.ceil(leftMs / 1_000));
}

/** One line that is overwritten on a terminal, or a line every two seconds elsewhere. */
export function showDemoProgress(runs: readonly WorkflowRun[], portal: SimulatedPortal): () => void {
  const isTerminal = process.stdout.isTTY;
  const startedAtMs = performance.now();
  let looks: readonly Look[] = [];
  const sum = (of: (counts: RunCounts) => number): number =>
    runs.reduce((total, run) => total + of(run.counts()), 0);
  const look = (): void => {
    const atMs = performance.now();
    looks = [...looks, { atMs, requests: portal.traffic.counted }].filter(
      (one) => atMs - one.atMs < 2 * RATE_LIMIT.windowMs,
    );
  };
  const draw = (): void => {
    const total = sum((counts) => counts.total);
    const decided = sum((counts) => counts.completed + counts.failed);
    const filled = Math.round((BAR_LENGTH * decided) / total);
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR_LENGTH - filled)}`;
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
    const waits = decided === total ? undefined : limitedForSeconds(looks);
    const waiting =
      waits === undefined
        ? ""
        : ` · waiting for HubSpot's limit (${RATE_LIMIT.requests} requests per ${RATE_LIMIT.windowMs / 1_000} s), next in ${waits} s`;
    const line = `  ${bar} ${decided}/${total} contacts decided · ${seconds} s${waiting}`;
    process.stdout.write(isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
  };
  look();
  draw();
  const looking = setInterval(look, LOOK_MS);
  const drawing = setInterval(draw, isTerminal ? LOOK_MS : LINE_MS);
  return () => {
    clearInterval(looking);
    clearInterval(drawing);
    draw();
    if (isTerminal) process.stdout.write("\n");
  };
}
