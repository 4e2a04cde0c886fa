import { Agent, DecoratorHandler, getGlobalDispatcher, setGlobalDispatcher, type Dispatcher } from "undici";
import { HubSpotTimedOut, HubSpotUnavailable } from "./errors.js";
import { ANSWER_TIMEOUT_MS, termsOfRequest, type RequestTerms } from "./pace/request-terms.js";

/**
 * An owner sends a request at most 6 s after it renewed its lease; with the connect time, it still leaves before a
 * successor may start, at 10 s (platform/queue/drain-queue.ts).
 */
const CONNECT_TIMEOUT_MS = 3_000;
/** For requests without terms. Longer than any terms, so that terms always end a request first. */
const IDLE_TIMEOUT_MS = 2 * ANSWER_TIMEOUT_MS;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

type EventArguments<
  Event extends "onRequestStart" | "onResponseStart" | "onResponseEnd" | "onResponseError",
> = Parameters<NonNullable<Dispatcher.DispatchHandler[Event]>>;

/** undici's, whose published type leaves out its methods. */
const Decorator = DecoratorHandler as new (handler: Dispatcher.DispatchHandler) => {
  onRequestStart(...start: EventArguments<"onRequestStart">): void;
  onResponseStart(...answer: EventArguments<"onResponseStart">): void;
  onResponseEnd(...end: EventArguments<"onResponseEnd">): void;
  onResponseError(...fault: EventArguments<"onResponseError">): void;
};

class RefuseRedirect extends Decorator {
  override onResponseStart(...answer: EventArguments<"onResponseStart">): void {
    const [controller, status] = answer;
    if (REDIRECTS.has(status))
      controller.abort(new HubSpotUnavailable(`HubSpot answered ${status}; redirects are not followed`));
    else super.onResponseStart(...answer);
  }
}

/**
 * Enforces a request's terms. A connection may take seconds, so `assertMaySend` is called when it is there. The
 * time-out covers the whole answer: headers without an end of the body, or a byte a second, count as silence too.
 */
class KeepTerms extends Decorator {
  readonly #terms: RequestTerms;
  #timer: NodeJS.Timeout | undefined;

  constructor(handler: Dispatcher.DispatchHandler, terms: RequestTerms) {
    super(handler);
    this.#terms = terms;
  }

  override onRequestStart(...start: EventArguments<"onRequestStart">): void {
    super.onRequestStart(...start);
    const [controller] = start;
    const { timeoutMs, assertMaySend } = this.#terms;
    try {
      assertMaySend();
    } catch (fault) {
      controller.abort(fault as Error);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      controller.abort(new HubSpotTimedOut(timeoutMs));
    }, timeoutMs);
  }

  override onResponseEnd(...end: EventArguments<"onResponseEnd">): void {
    clearTimeout(this.#timer);
    super.onResponseEnd(...end);
  }

  override onResponseError(...fault: EventArguments<"onResponseError">): void {
    clearTimeout(this.#timer);
    super.onResponseError(...fault);
  }
}

/**
 * HubSpot's API redirects nowhere: if a redirect were followed, a POST could be sent twice, or a page's 404 could be
 * read as HubSpot's.
 */
function guardRequestsTo(origin: string): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (request, handler) => {
    if (String(request.origin) !== origin) return dispatch(request, handler);
    const terms = termsOfRequest();
    const guarded = new RefuseRedirect(handler);
    return dispatch(request, terms === undefined ? guarded : new KeepTerms(guarded, terms));
  };
}

/**
 * HubSpot's client uses the platform's fetch and passes it neither time-outs nor a redirect mode: both are set on the
 * process's dispatcher (docs/decisions/004-hubspot-transport.md). The number of connections is not bounded here, where
 * requests would queue unseen: the gate (fair-gate.ts) bounds them.
 *
 * @returns a function that restores the previous dispatcher.
 */
export function tuneFetch({ apiUrl }: { apiUrl: string }): () => Promise<void> {
  const before = getGlobalDispatcher();
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
  });
  const tuned = agent.compose(guardRequestsTo(new URL(apiUrl).origin));
  setGlobalDispatcher(tuned);
  return () => {
    if (getGlobalDispatcher() === tuned) setGlobalDispatcher(before);
    return agent.close();
  };
}
