import type { Request, RequestHandler, Response } from "express";
import type { OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import { FEATURE_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { sendEnding } from "./pages.js";
import { returnUrlForState, type ReturnOptions } from "./return-url.js";
import type { InstallStates, Purpose } from "./state.js";

export interface BeginOptions extends ReturnOptions {
  oauthApi: OAuthApi;
  states: InstallStates;
}

/**
 * Sends the browser to HubSpot's consent page. `?portalId=` only pre-selects an account there; it proves nothing here.
 * `?for=unenroll,segments` asks for the permissions that these features need as well.
 */
export function createBegin({ oauthApi, states }: BeginOptions, purpose: Purpose): RequestHandler {
  return (request, response) => {
    const state = states.mint({ request, response, purpose });
    const portalId = requestedPortal(request);
    response
      .set("Cache-Control", "no-store")
      .redirect(oauthApi.authorizationUrl({ state, portalId, furtherScopes: scopesFor(request) }));
  };
}

/**
 * `step=authorize`: an install that began on the marketplace (docs/hubspot.md §2.2). HubSpot waits at `returnUrl` for our state
 * and shows its consent page then.
 */
export function beginFromMarketplace(options: BeginOptions, request: Request, response: Response): void {
  const returnUrl = returnUrlForState(request.query["returnUrl"], options);
  if (returnUrl === undefined) return sendEnding(response, "unknown-return");
  returnUrl.searchParams.set("state", options.states.mint({ request, response, purpose: "install" }));
  response.set("Cache-Control", "no-store").redirect(returnUrl.href);
}

function scopesFor(request: Request): readonly string[] {
  const named = request.query["for"];
  const features = typeof named === "string" ? named.split(",") : [];
  return Object.entries(FEATURE_SCOPES).flatMap(([feature, scopes]) =>
    features.includes(feature) ? [...scopes] : [],
  );
}

function requestedPortal(request: Request): PortalId | undefined {
  const given = request.query["portalId"];
  return typeof given === "string" && /^[1-9]\d{0,15}$/.test(given) ? BigInt(given) : undefined;
}
