import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * How much a refused sender may still send. Many write the whole body before they read, and closing the connection
 * meanwhile would lose the answer. Beyond this it is closed anyway, and as soon as less than `LEAST_DRAINED_BYTES` came
 * in `DRAIN_CHECK_MS`. The server's limit for a whole request applies too.
 */
const MAX_DRAINED_BYTES = 32 * 1024 * 1024;
const DRAIN_CHECK_MS = 2_000;
const LEAST_DRAINED_BYTES = 64 * 1024;

/** Discards the rest of the body and then ends the answer; the connection ends with it. */
export function endOnceDrained(request: IncomingMessage, response: ServerResponse): void {
  let [drained, drainedBefore] = [0, 0];
  const end = (): void => {
    response.end();
  };
  const endIfSlow = (): void => {
    if (drained - drainedBefore < LEAST_DRAINED_BYTES) end();
    drainedBefore = drained;
  };
  // After reading: if we were busy, data that arrived meanwhile is not read yet.
  const timer = setInterval(() => setImmediate(endIfSlow), DRAIN_CHECK_MS);
  request
    .removeAllListeners("data")
    .on("data", (chunk: Buffer) => {
      drained += chunk.length;
      if (drained > MAX_DRAINED_BYTES) end();
    })
    .once("end", end);
  response.once("close", () => {
    clearInterval(timer);
  });
}
