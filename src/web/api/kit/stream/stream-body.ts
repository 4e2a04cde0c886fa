import type { Request } from "express";
import { takeOverTime } from "#web/kit/request-time.js";
import { refusal, RefusedCall } from "../problem.js";

/** What a streamed body may take. */
export interface StreamLimits {
  /** How long its sender may send nothing. */
  readonly stallMs: number;
  /** How long all of it may take. */
  readonly longestMs: number;
  readonly mostBytes: number;
}

/** Bytes that have arrived together. */
export interface Piece {
  readonly bytes: Buffer;
  /** True if it is known already that nothing comes after them. */
  readonly isLast: boolean;
}

/**
 * The pieces of a streamed body, no faster than they are taken, and without the time limit of other requests. What is not
 * taken stays readable: an answer may still have to be given before the connection ends.
 *
 * @throws RefusedCall: 413 if it is too large; 400 if its sender is too slow, or has hung up.
 */
export async function* piecesOf(request: Request, limits: StreamLimits): AsyncGenerator<Piece> {
  const { stallMs, longestMs, mostBytes } = limits;
  takeOverTime(request);
  const endsAtMs = performance.now() + longestMs;
  for (let bytes = 0; ;) {
    const piece = request.read() as Buffer | null;
    if (piece === null) {
      if (request.complete && request.readableLength === 0) return;
      const leftMs = Math.max(0, endsAtMs - performance.now());
      const news = await newsOf(request, Math.min(stallMs, leftMs));
      if (news === "close") throw stopped("Its sender has hung up.");
      if (news === "late") throw leftMs < stallMs ? tooLong(longestMs) : stalled(stallMs);
      continue;
    }
    bytes += piece.length;
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    yield { bytes: piece, isLast: request.complete && request.readableLength === 0 };
  }
}

type News = "readable" | "end" | "close" | "late";

/** What happens next to a request of which nothing can be read now. */
function newsOf(request: Request, patienceMs: number): Promise<News> {
  return new Promise((resolve) => {
    const told = { readable: () => tell("readable"), end: () => tell("end"), close: () => tell("close") };
    const tell = (news: News): void => {
      clearTimeout(timer);
      for (const [name, listener] of Object.entries(told)) request.off(name, listener);
      resolve(news);
    };
    const timer = setTimeout(tell, patienceMs, "late");
    for (const [name, listener] of Object.entries(told)) request.on(name, listener);
    if (request.destroyed) tell("close");
  });
}

const stopped = (detail: string): RefusedCall => new RefusedCall(refusal("INVALID_REQUEST", { detail }));

const stalled = (ms: number): RefusedCall => stopped(`Nothing was sent for ${ms / 1_000} seconds.`);

const tooLong = (ms: number): RefusedCall =>
  stopped(`It took longer than ${ms / 1_000} seconds. Send the rest in another request.`);

function tooLarge(bytes: number): RefusedCall {
  const detail = `There may be ${Math.floor(bytes / 1024 / 1024)} MiB at most.`;
  return new RefusedCall(refusal("PAYLOAD_TOO_LARGE", { detail }));
}
