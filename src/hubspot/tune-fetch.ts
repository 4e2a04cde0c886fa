import { Agent, DecoratorHandler, getGlobalDispatcher, setGlobalDispatcher, type Dispatcher } from "undici";
import { HubSpotUnavailable } from "./errors.js";

const CONNECT_TIMEOUT_MS = 5_000;
/** HubSpot answers within seconds or not usefully; its own edge gives up after 100 s (dossier §6). */
const ANSWER_TIMEOUT_MS = 15_000;
/** Requests to HubSpot under way at once, each on a connection of its own. */
export const HUBSPOT_CONNECTIONS = 256;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

type AnswerStart = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>;

/** undici's, whose published type leaves out its methods. */
const Decorator = DecoratorHandler as new (handler: Dispatcher.DispatchHandler) => {
  onResponseStart(...answer: AnswerStart): void;
};

class RefuseRedirect extends Decorator {
  override onResponseStart(...answer: AnswerStart): void {
    const [controller, status] = answer;
    if (REDIRECTS.has(status))
      controller.abort(new HubSpotUnavailable(`HubSpot answered ${status}; redirects are not followed`));
    else super.onResponseStart(...answer);
  }
}

/** HubSpot's API redirects nowhere; followed, a POST could be sent twice, or a page's 404 be read as HubSpot's. */
function refuseRedirectsOf(origin: string): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (request, handler) =>
    dispatch(request, String(request.origin) === origin ? new RefuseRedirect(handler) : handler);
}

/**
 * HubSpot's client uses the platform's fetch and passes it neither time-outs nor a redirect mode: both, and the pool of
 * connections, are set on the process's dispatcher (docs/decisions/004-hubspot-transport.md).
 *
 * @returns what puts the dispatcher back that was there before.
 */
export function tuneFetch({ apiUrl }: { apiUrl: string }): () => Promise<void> {
  const before = getGlobalDispatcher();
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    connections: HUBSPOT_CONNECTIONS,
  });
  const tuned = agent.compose(refuseRedirectsOf(new URL(apiUrl).origin));
  setGlobalDispatcher(tuned);
  return () => {
    if (getGlobalDispatcher() === tuned) setGlobalDispatcher(before);
    return agent.close();
  };
}
