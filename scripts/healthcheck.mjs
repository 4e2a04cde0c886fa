/** For a container's health check: 0 if the process on this machine's PORT answers `/healthz`, else 1. */
const { PORT = "3000" } = process.env;
const TIMEOUT_MS = 2_500;

const isAlive = await fetch(`http://127.0.0.1:${PORT}/healthz`, {
  signal: AbortSignal.timeout(TIMEOUT_MS),
}).then(
  ({ ok }) => ok,
  () => false,
);
process.exit(isAlive ? 0 : 1);
