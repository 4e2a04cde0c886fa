import { Router } from "express";
import { within } from "#platform/time/within.js";

/**
 * A dependency without which this process is not useful. Resolves to what is wrong, in words anyone may read;
 * undefined: nothing. Rejects or takes too long if it does not answer.
 */
export type Probe = () => Promise<string | undefined>;

const PROBE_TIMEOUT_MS = 1_000;
const NO_ANSWER = "It does not answer.";
const TOO_SLOW = `It does not answer within ${PROBE_TIMEOUT_MS / 1_000} s.`;

class ProbeTimedOut extends Error {}

/** What is wrong; undefined: nothing. */
async function troubleOf(probe: Probe): Promise<string | undefined> {
  try {
    return await within(PROBE_TIMEOUT_MS, probe(), () => new ProbeTimedOut());
  } catch (fault) {
    return fault instanceof ProbeTimedOut ? TOO_SLOW : NO_ANSWER;
  }
}

/**
 * `GET /healthz`: the process runs. `GET /readyz`: everything it needs works; 503 with the names of what does not, and
 * why.
 *
 * @param warnings problems despite which calls are accepted and kept: reported, but the process stays ready
 */
export function createHealthRouter(
  probes: Readonly<Record<string, Probe>>,
  warnings: Readonly<Record<string, Probe>> = {},
): Router {
  const router = Router();
  router.get("/healthz", (_request, response) => {
    response.json({ status: "ok" });
  });
  router.get("/readyz", async (_request, response) => {
    const [results, warned] = await Promise.all([resultsOf(probes), resultsOf(warnings)]);
    const failing = results.filter(({ trouble }) => trouble !== undefined);
    const checks = Object.fromEntries(
      results.map(({ name, trouble }) => [name, trouble === undefined ? "ok" : "failing"]),
    );
    const told = warned.some(({ trouble }) => trouble !== undefined) ? { warnings: troublesOf(warned) } : {};
    if (failing.length === 0) return void response.json({ status: "ready", checks, ...told });
    response.status(503).json({ status: "not ready", checks, reasons: troublesOf(failing), ...told });
  });
  return router;
}

interface Result {
  readonly name: string;
  readonly trouble: string | undefined;
}

function resultsOf(probes: Readonly<Record<string, Probe>>): Promise<Result[]> {
  return Promise.all(
    Object.entries(probes).map(async ([name, probe]) => ({ name, trouble: await troubleOf(probe) })),
  );
}

function troublesOf(results: readonly Result[]): Record<string, string | undefined> {
  return Object.fromEntries(
    results.flatMap(({ name, trouble }) => (trouble === undefined ? [] : [[name, trouble]])),
  );
}
