import { Router } from "express";

/**
 * A thing that has to work for this process to be useful. Resolves to what is wrong, in words anybody may read; undefined:
 * nothing. Rejects or takes too long if it does not answer.
 */
export type Probe = () => Promise<string | undefined>;

const PROBE_TIMEOUT_MS = 1_000;
const NO_ANSWER = "It does not answer.";

/** What is wrong; undefined: nothing. */
async function troubleOf(probe: Probe): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PROBE_TIMEOUT_MS, `It does not answer within ${PROBE_TIMEOUT_MS / 1_000} s.`);
  });
  try {
    return await Promise.race([probe(), timeout]);
  } catch {
    return NO_ANSWER;
  } finally {
    clearTimeout(timer);
  }
}

/** `GET /healthz`: the process runs. `GET /readyz`: all it needs works; 503 with the names of what does not, and why. */
export function createHealthRouter(probes: Readonly<Record<string, Probe>>): Router {
  const router = Router();
  router.get("/healthz", (_request, response) => {
    response.json({ status: "ok" });
  });
  router.get("/readyz", async (_request, response) => {
    const results = await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => ({ name, trouble: await troubleOf(probe) })),
    );
    const failing = results.filter(({ trouble }) => trouble !== undefined);
    const checks = Object.fromEntries(
      results.map(({ name, trouble }) => [name, trouble === undefined ? "ok" : "failing"]),
    );
    if (failing.length === 0) return void response.json({ status: "ready", checks });
    const reasons = Object.fromEntries(failing.map(({ name, trouble }) => [name, trouble]));
    response.status(503).json({ status: "not ready", checks, reasons });
  });
  return router;
}
