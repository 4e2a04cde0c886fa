import { Router } from "express";

/** A thing that has to work for this process to be useful; rejects or takes too long when it does not. */
export type Probe = () => Promise<unknown>;

const PROBE_TIMEOUT_MS = 1_000;

async function passes(probe: Probe): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, PROBE_TIMEOUT_MS, false);
  });
  try {
    return await Promise.race([probe().then(() => true), timeout]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** `GET /healthz`: the process runs. `GET /readyz`: all it needs answers; 503 with the names of what does not. */
export function createHealthRouter(probes: Readonly<Record<string, Probe>>): Router {
  const router = Router();
  router.get("/healthz", (_request, response) => {
    response.json({ status: "ok" });
  });
  router.get("/readyz", async (_request, response) => {
    const results = await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => [name, await passes(probe)] as const),
    );
    const isReady = results.every(([, passed]) => passed);
    const checks = Object.fromEntries(results.map(([name, passed]) => [name, passed ? "ok" : "failing"]));
    response.status(isReady ? 200 : 503).json({ status: isReady ? "ready" : "not ready", checks });
  });
  return router;
}
