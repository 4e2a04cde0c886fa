import { Client } from "@hubspot/api-client";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { classifyAnswer, classifyNetworkFault, classifyTokenFault } from "./answer.js";
import { HubSpotRejected, HubSpotTimedOut, HubSpotUnavailable, PortalSpared } from "./errors.js";
import { ANSWER_TIMEOUT_MS, underTerms, type RequestTerms } from "./pace/request-terms.js";
import type { RequestBudget, RequestSlot } from "./pace/request-budget.js";

/** One request to HubSpot's REST API. Query values that are undefined are left out. */
export interface HubSpotRequest {
  method: "GET" | "POST" | "DELETE";
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  /** Called with the status of a success, if the body alone does not say what it means. */
  onSuccess?: (httpStatus: number) => void;
}

/** Sends one portal's requests. Resolves with the parsed body (undefined for 204). */
export type PortalTransport = (request: HubSpotRequest) => Promise<unknown>;

/**
 * Called with every answer, for metrics and HubSpot's clock; `date` is the header, undefined if what stands in front of HubSpot
 * may have written the answer, by a clock of its own.
 */
export type OnAnswer = (answer: {
  path: string;
  method: string;
  httpStatus: number;
  date: string | null | undefined;
  /** From sending the request to the head of the answer. */
  durationMs: number;
}) => void;

const isHubSpotsOwn = ({ status, headers }: Response): boolean =>
  status < 500 && !/html/i.test(headers.get("content-type") ?? "");

/** Called with every request that was sent and not answered. */
export type OnNoAnswer = (request: { path: string; reason: "timeout" | "network" }) => void;

export interface TransportOptions {
  apiUrl: string;
  /** A valid access token of the portal; may refresh it first. */
  accessTokenFor: (portalId: PortalId) => Promise<string>;
  /** After a 401: a token other than the refused one. */
  renewAfterRefusal: (portalId: PortalId, refusedToken: string) => Promise<string>;
  onAnswer?: OnAnswer;
  onNoAnswer?: OnNoAnswer;
  /** Done around every request that is sent: for traces. */
  around?: (request: HubSpotRequest, send: () => Promise<Response>) => Promise<Response>;
}

/** Waits for a slot in the portal's budget; rejects if the owner loses the portal meanwhile. */
export type TakeSlot = () => Promise<RequestSlot>;

/** What one portal's requests are made with. */
export interface PortalTransportOptions {
  portalId: PortalId;
  budget: RequestBudget;
  takeSlot: TakeSlot;
  /** The terms of the next request; by default the ordinary timeout. */
  terms?: () => RequestTerms;
}

const DEFAULT_TERMS: RequestTerms = { timeoutMs: ANSWER_TIMEOUT_MS, assertMaySend: () => undefined };

/**
 * Creates transports over HubSpot's own client. Its limiter and retries stay off: they are global to the process and
 * would repeat POSTs (docs/decisions/004-hubspot-transport.md); pacing and retries are ours, per portal.
 *
 * The transport throws HubSpotThrottled, HubSpotUnavailable, HubSpotRejected, and what the token source throws.
 */
export function createTransport(options: TransportOptions) {
  const client = new Client({ basePath: options.apiUrl, numberOfApiCallRetries: 0 });

  async function send(request: HubSpotRequest, token: string, terms: RequestTerms): Promise<Response> {
    const query = Object.fromEntries(
      Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined),
    );
    try {
      // apiRequest has an older fetch's Response type; at run time it is the platform's.
      return await underTerms(terms, () =>
        client.apiRequest({
          method: request.method,
          path: request.path,
          headers: { Authorization: `Bearer ${token}` },
          ...(Object.keys(query).length === 0 ? {} : { qs: query }),
          ...(request.body === undefined ? {} : { body: request.body }),
        }),
      );
    } catch (error) {
      const fault = classifyNetworkFault(error);
      if (fault instanceof HubSpotUnavailable && !(fault instanceof PortalSpared))
        options.onNoAnswer?.({
          path: request.path,
          reason: fault instanceof HubSpotTimedOut ? "timeout" : "network",
        });
      throw fault;
    }
  }

  return function forPortal(portal: PortalTransportOptions): PortalTransport {
    async function attempt(request: HubSpotRequest, token: string): Promise<unknown> {
      const slot = await portal.takeSlot();
      let isAnswered = false;
      try {
        const begunMs = performance.now();
        const sendIt = () => send(request, token, portal.terms?.() ?? DEFAULT_TERMS);
        const response = await (options.around?.(request, sendIt) ?? sendIt());
        const { status: httpStatus, headers } = response;
        isAnswered = isHubSpotsOwn(response);
        options.onAnswer?.({
          path: request.path,
          method: request.method,
          httpStatus,
          date: isAnswered ? headers.get("date") : undefined,
          durationMs: performance.now() - begunMs,
        });
        const body = await classifyAnswer(response, { budget: portal.budget, slot, token });
        request.onSuccess?.(response.status);
        return body;
      } finally {
        slot.settle(isAnswered);
      }
    }

    async function token(source: Promise<string>): Promise<string> {
      try {
        return await source;
      } catch (error) {
        throw classifyTokenFault(error);
      }
    }

    function isUnauthorized(fault: unknown): boolean {
      return fault instanceof HubSpotRejected && fault.httpStatus === 401;
    }

    /** A 401 had no effect at HubSpot, so one repetition with a new token is safe even for a POST. */
    async function again(request: HubSpotRequest, refused: string): Promise<unknown> {
      const renewed = await token(options.renewAfterRefusal(portal.portalId, refused));
      try {
        return await attempt(request, renewed);
      } catch (error) {
        if (!isUnauthorized(error)) throw error;
        // Says nothing about the contact: HubSpot does not know its own new token yet, or has a problem.
        throw new HubSpotUnavailable("HubSpot refuses a token it has just given", {
          cause: error,
          wasNotSent: true,
        });
      }
    }

    return async function call(request: HubSpotRequest): Promise<unknown> {
      const current = await token(options.accessTokenFor(portal.portalId));
      try {
        return await attempt(request, current);
      } catch (error) {
        if (!isUnauthorized(error)) throw error;
        return again(request, current);
      }
    };
  };
}
