import { randomUUID } from "node:crypto";
import { declaredScopes } from "../world/options.js";
import type { World } from "../world/world.js";
import { readAuthorizeRequest, type AuthorizeRequest } from "./authorize.js";

/**
 * Installs that begin on a marketplace listing (docs/hubspot.md §2.2). With partner sign-in the app's redirect URL is
 * called twice, `step=authorize` and `step=finalize`; without it once, with a code and without the app's state.
 */
export interface MarketplaceInstall {
  readonly portalId: number;
  /** Default: the first registered redirect URL. */
  readonly redirectUri?: string;
}

/** The URL the "Install" button sends the browser to: the app's own, asking it to sign the user in first. */
export function stepAuthorizeUrl(world: World, install: MarketplaceInstall): string {
  const returnUrl = new URL(`/marketplace/${install.portalId}/consent`, world.url);
  returnUrl.searchParams.set("install", randomUUID());
  const url = new URL(redirectUriOf(world, install));
  url.searchParams.set("step", "authorize");
  url.searchParams.set("returnUrl", returnUrl.href);
  return url.href;
}

/** The consent request behind a `returnUrl` to which the app has added its state. */
export function marketplaceRequest(world: World, portalId: number, query: URLSearchParams): AuthorizeRequest {
  return {
    ...declaredRequest(world, { portalId }),
    state: query.get("state") ?? undefined,
    extra: { step: "finalize", returnUrl: new URL(`/marketplace/${portalId}/installed`, world.url).href },
  };
}

/** The consent request of a listing without partner sign-in: the app never had a chance to set a state. */
export function withoutSignInRequest(world: World, install: MarketplaceInstall): AuthorizeRequest {
  return declaredRequest(world, install);
}

function declaredRequest(world: World, install: MarketplaceInstall): AuthorizeRequest {
  const { settings } = world;
  const query = new URLSearchParams({
    client_id: settings.clientId,
    redirect_uri: redirectUriOf(world, install),
    scope: declaredScopes(settings)
      .filter((scope) => !settings.optionalScopes.includes(scope))
      .join(" "),
    optional_scope: settings.optionalScopes.join(" "),
  });
  return readAuthorizeRequest(query, install.portalId);
}

function redirectUriOf({ settings }: World, { redirectUri }: MarketplaceInstall): string {
  const uri = redirectUri ?? settings.redirectUris[0];
  if (uri === undefined) throw new RangeError("The simulated app has no redirect URL");
  return uri;
}
