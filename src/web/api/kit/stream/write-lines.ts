import type { Request, Response } from "express";
import { endOnceDrained } from "#web/kit/body/drain-body.js";

/** A reader that takes nothing for so long has gone. */
const STALL_MS = 30_000;

/**
 * Writes parts of an answer as they come, no faster than they are read, and ends it. What of the request is not read yet is
 * discarded first, and the connection ends with it: otherwise the end of the answer could be lost.
 */
export async function writeParts(
  { request, response }: { request: Request; response: Response },
  parts: AsyncIterable<string>,
): Promise<void> {
  for await (const part of parts) {
    if (response.destroyed) return;
    if (!response.write(part)) await drained(response);
  }
  if (request.complete) return void response.end();
  response.once("finish", () => request.socket.destroySoon());
  endOnceDrained(request, response);
}

/** Ends with the connection too. */
function drained(response: Response): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      response.off("drain", settle).off("close", settle);
      resolve();
    };
    const timer = setTimeout(() => response.destroy(), STALL_MS);
    response.on("drain", settle).on("close", settle);
  });
}
