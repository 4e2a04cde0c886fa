import { promisify } from "node:util";
import { unzip } from "node:zlib";
import type { Dispatcher } from "undici";
import { GrowingBuffer } from "#platform/text/growing-buffer.js";
import { HubSpotTimedOut, HubSpotUnavailable } from "./errors.js";
import type { RequestTerms } from "./pace/request-terms.js";
import { MAX_BYTES, tooLarge, WholeResponse } from "./read-text.js";

/** One request as `fetch` is asked for it by HubSpot's client: bodies are text. */
export interface ExchangeRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly terms: RequestTerms;
}

type Handler = Dispatcher.DispatchHandler;
type EventArguments<Event extends keyof Handler> = Parameters<NonNullable<Handler[Event]>>;

const ENCODINGS = "gzip, deflate";
/** Statuses of which a Response takes no body. */
const WITHOUT_BODY = new Set([204, 205, 304]);

const unpack = promisify(unzip);

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * HubSpot's API redirects nowhere: if a redirect were followed, a POST could be sent twice, or a page's 404 be read as
 * HubSpot's.
 *
 * @returns the fault that such an answer is; undefined for any other.
 */
export function refusedRedirect(status: number): HubSpotUnavailable | undefined {
  if (!REDIRECTS.has(status)) return undefined;
  return new HubSpotUnavailable(`HubSpot answered ${status}; redirects are not followed`);
}

/**
 * Sends one request, reads the whole answer, and enforces the request's terms. A connection may take seconds, so
 * `assertMaySend` is called when it is there. The timeout covers the whole answer: headers without an end of the body, or a
 * byte a second, count as silence too.
 *
 * What `fetch` does with the same request costs several times as much, most of it for streams that nobody needs.
 *
 * @throws HubSpotTimedOut, HubSpotUnavailable for a redirect or too large an answer, what `assertMaySend` throws, and the
 *   faults of the network.
 */
export async function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Response> {
  const { url, method, headers, body, terms } = request;
  const answer = await new Promise<Answer>((resolve, reject) => {
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { ...headers, "accept-encoding": ENCODINGS },
        body: body ?? null,
      },
      new AnswerReader(terms, { resolve, reject }),
    );
  });
  return toResponse(answer);
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

async function toResponse({ status, headers, bytes }: Answer): Promise<Response> {
  if (bytes.length === 0 || WITHOUT_BODY.has(status)) return new Response(null, { status, headers });
  const isPacked = (headers.get("content-encoding") ?? "identity") !== "identity";
  const body = isPacked ? await unpack(bytes, { maxOutputLength: MAX_BYTES }) : bytes;
  return new WholeResponse(body, { status, headers });
}

/** Hears what happens to one request. */
class AnswerReader implements Handler {
  readonly #terms: RequestTerms;
  readonly #end: { resolve: (answer: Answer) => void; reject: (fault: Error) => void };
  readonly #bytes = new GrowingBuffer();
  #timer: NodeJS.Timeout | undefined;
  #status = 0;
  #headers = new Headers();

  constructor(
    terms: RequestTerms,
    end: { resolve: (answer: Answer) => void; reject: (fault: Error) => void },
  ) {
    this.#terms = terms;
    this.#end = end;
  }

  onRequestStart(...[controller]: EventArguments<"onRequestStart">): void {
    const { timeoutMs, assertMaySend } = this.#terms;
    try {
      assertMaySend();
    } catch (error) {
      controller.abort(error as Error);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      controller.abort(new HubSpotTimedOut(timeoutMs));
    }, timeoutMs);
  }

  onResponseStart(...[controller, status, headers]: EventArguments<"onResponseStart">): void {
    this.#status = status;
    this.#headers = readableHeaders(headers);
    const redirect = refusedRedirect(status);
    if (redirect !== undefined) controller.abort(redirect);
  }

  onResponseData(...[controller, piece]: EventArguments<"onResponseData">): void {
    this.#bytes.add(piece);
    if (this.#bytes.size > MAX_BYTES) controller.abort(tooLarge(this.#status, MAX_BYTES));
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    this.#end.resolve({ status: this.#status, headers: this.#headers, bytes: this.#bytes.content() });
  }

  onResponseError(...[, fault]: EventArguments<"onResponseError">): void {
    clearTimeout(this.#timer);
    this.#end.reject(fault);
  }
}

function readableHeaders(given: EventArguments<"onResponseStart">[2]): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(given)) {
    for (const value of [values ?? []].flat()) {
      try {
        headers.append(name, value);
      } catch {
        // Not of the characters that a header can have: none of those that are read here.
      }
    }
  }
  return headers;
}
