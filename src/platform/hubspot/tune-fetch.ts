import { Agent, DecoratorHandler, getGlobalDispatcher, setGlobalDispatcher, type Dispatcher } from "undici";
import { exchange, refusedRedirect } from "./exchange.js";
import { ANSWER_TIMEOUT_MS, takeTerms } from "./pace/request-terms.js";

/**
 * An owner sends a request at most 6 s after it renewed its lease; with the connect time, it still leaves before a
 * successor may start, at 10 s (platform/queue/drain-queue.ts).
 */
const CONNECT_TIMEOUT_MS = 3_000;
/** For requests without terms. Longer than any terms, so that terms always end a request first. */
const IDLE_TIMEOUT_MS = 2 * ANSWER_TIMEOUT_MS;

type ResponseStart = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>;

/** undici's; the published type leaves out its methods. */
const Decorator = DecoratorHandler as new (handler: Dispatcher.DispatchHandler) => {
  onResponseStart(...answer: ResponseStart): void;
};

class RefuseRedirect extends Decorator {
  override onResponseStart(...answer: ResponseStart): void {
    const [controller, status] = answer;
    const redirect = refusedRedirect(status);
    if (redirect !== undefined) controller.abort(redirect);
    else super.onResponseStart(...answer);
  }
}

function refuseRedirectsOf(origin: string): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (request, handler) =>
    dispatch(request, String(request.origin) === origin ? new RefuseRedirect(handler) : handler);
}

/** `fetch` for requests that are made under terms; any other is the platform's. */
function fetchUnderTerms(platformFetch: typeof fetch, dispatcher: Dispatcher): typeof fetch {
  return (input, init) => {
    const terms = takeTerms();
    if (terms === undefined) return platformFetch(input, init);
    const { method = "GET", headers, body } = init ?? {};
    return exchange(dispatcher, {
      url: new URL(input instanceof Request ? input.url : input),
      method,
      terms,
      headers: Object.fromEntries(new Headers(headers)),
      body: typeof body === "string" ? body : undefined,
    });
  };
}

/**
 * HubSpot's client uses the platform's `fetch` and passes it neither timeouts nor a redirect mode: `fetch` is replaced for
 * the requests that bring terms (docs/decisions/004-hubspot-transport.md), and for all others the process's dispatcher is.
 * The number of connections is not bounded here, where requests would queue unseen: the gate (fair-gate.ts) bounds them.
 *
 * @returns a function that restores the previous `fetch` and dispatcher.
 */
export function tuneFetch({ apiUrl }: { apiUrl: string }): () => Promise<void> {
  const before = { dispatcher: getGlobalDispatcher(), fetch: globalThis.fetch };
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: IDLE_TIMEOUT_MS,
    bodyTimeout: IDLE_TIMEOUT_MS,
  });
  const tuned = agent.compose(refuseRedirectsOf(new URL(apiUrl).origin));
  const ours = fetchUnderTerms(before.fetch, agent);
  setGlobalDispatcher(tuned);
  globalThis.fetch = ours;
  return () => {
    if (getGlobalDispatcher() === tuned) setGlobalDispatcher(before.dispatcher);
    if (globalThis.fetch === ours) globalThis.fetch = before.fetch;
    return agent.close();
  };
}
