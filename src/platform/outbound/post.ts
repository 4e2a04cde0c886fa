import { lookup as lookupAddress, type LookupAddress, type LookupOptions } from "node:dns";
import { types } from "node:util";
import { Agent, request, type Dispatcher } from "undici";
import { readRetryAfterMs } from "#platform/hubspot/wire/retry-after.js";
import { destinationProblem, isPrivateDestination, NOT_REACHABLE } from "./destination.js";
import { isInternal } from "./internal-addresses.js";

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Resolves a name and refuses internal addresses while connecting, so that the checked address is the one connected to.
 */
function publicLookup(hostname: string, options: LookupOptions, done: LookupCallback): void {
  lookupAddress(hostname, { ...options, all: true }, (fault, addresses) => {
    if (fault !== null) return done(fault, []);
    const usable = addresses.filter(({ address }) => !isInternal(address));
    const first = usable[0];
    if (first === undefined) return done(new Error(NOT_REACHABLE), []);
    if (options.all === true) return done(null, usable);
    return done(null, first.address, first.family);
  });
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Of an answer's headers together; of its body only the beginning is read. */
const MOST_HEADER_BYTES = 16 * 1024;
const MOST_BODY_BYTES = 1024;
/** How long the beginning of the body may take once the status is there, which alone decides. */
const BODY_MS = 1_000;

/** What is posted. */
export interface Post {
  readonly url: string;
  /** JSON. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For the answer's status, from the first lookup of the address on. */
  readonly timeoutMs: number;
}

export interface PostAnswer {
  readonly status: number;
  /** The beginning of the body, as it came; unreadable bytes are replaced. */
  readonly text: string;
  /** How long the receiver asked us to wait; 0 if it did not. */
  readonly askedMs: number;
}

/** Posts JSON to addresses that customers chose. */
export interface Poster {
  /**
   * No redirect is followed, no internal address reached.
   *
   * @throws an Error for an address that may not be used or cannot be reached, with the reason in its message or cause;
   *   one named TimeoutError if no answer came in time.
   */
  post(post: Post): Promise<PostAnswer>;
  close(): Promise<void>;
}

/** @param privateDestinations see `destinationProblem`: every other connection is judged by its address. */
export function createPoster(privateDestinations: ReadonlySet<string>): Poster {
  // Many customers may have the same host, and none waits there for another's answer: the number is bounded by callers.
  const bounds = { connections: null, pipelining: 1, maxHeaderSize: MOST_HEADER_BYTES, allowH2: false };
  const guarded = new Agent({ ...bounds, connect: { timeout: CONNECT_TIMEOUT_MS, lookup: publicLookup } });
  const unguarded = new Agent({ ...bounds, connect: { timeout: CONNECT_TIMEOUT_MS } });
  return {
    async post({ url, body, headers, timeoutMs }) {
      const problem = destinationProblem(url, privateDestinations);
      if (problem !== undefined) throw new Error(problem);
      const isPrivate = isPrivateDestination(new URL(url), privateDestinations);
      const answer = await request(url, {
        method: "POST",
        headers: {
          ...headers,
          "content-type": "application/json",
          "accept-encoding": "identity",
          "user-agent": "sequence-enroller",
        },
        body,
        dispatcher: isPrivate ? unguarded : guarded,
        signal: AbortSignal.timeout(timeoutMs),
      });
      const retryAfter = answer.headers["retry-after"];
      return {
        status: answer.statusCode,
        text: await readBeginning(answer.body),
        askedMs:
          (typeof retryAfter === "string" && readRetryAfterMs(retryAfter, { httpStatus: undefined })) || 0,
      };
    },
    async close() {
      await Promise.all([guarded.close(), unguarded.close()]);
    },
  };
}

/**
 * Reads no more than is kept and never fails: the status has been received, and how the body continues changes nothing.
 */
async function readBeginning(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  body.on("error", () => undefined);
  const late = setTimeout(() => body.destroy(), BODY_MS);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MOST_BODY_BYTES) break;
    }
  } catch {
    // Cut off or too slow: what came is kept.
  } finally {
    clearTimeout(late);
    body.destroy();
  }
  return Buffer.concat(chunks).subarray(0, MOST_BODY_BYTES).toString("utf8");
}

/** Why a post got no answer, as a sentence. The reason may be hidden in the cause of the fault. */
export function describePostFault(fault: unknown): string {
  if (!types.isNativeError(fault)) return String(fault);
  if (fault.name === "TimeoutError") return "Your webhook timed out.";
  const cause = (fault.cause ?? fault) as { code?: unknown; message?: unknown };
  if (typeof cause.code === "string") return `We couldn't reach your webhook (${cause.code}).`;
  return typeof cause.message === "string" ? cause.message : fault.message;
}
