import type { World } from "../world/world.js";
import { decide, type AuthorizeRequest, type ConsentChoice } from "./authorize.js";
import { withoutSignInRequest, type MarketplaceInstall } from "./marketplace.js";
import { authorizeRequestAt } from "./site.js";

/** The consent page would have shown an error instead of going on; `message` is what it says. */
export class AuthorizeRefused extends Error {
  override readonly name = "AuthorizeRefused";
}

/**
 * Plays the person on the consent page reached by `url`; returns the callback URL the browser goes to next.
 *
 * @throws AuthorizeRefused if the page would show an error.
 */
export function playConsent(world: World, url: string, choice: ConsentChoice): string {
  const { pathname, searchParams } = new URL(url);
  const request = authorizeRequestAt(world, pathname, searchParams);
  if (request === undefined) throw new AuthorizeRefused(`${pathname} is no consent page`);
  return callbackOf(world, request, choice);
}

/** Consent on a marketplace listing without partner sign-in: a callback with a code and no state of the app's. */
export function playListingWithoutSignIn(
  world: World,
  install: MarketplaceInstall & { readonly userId?: number },
): string {
  return callbackOf(world, withoutSignInRequest(world, install), install);
}

function callbackOf(world: World, request: AuthorizeRequest, choice: ConsentChoice): string {
  const outcome = decide(world, request, choice);
  if (outcome.kind === "refused") throw new AuthorizeRefused(outcome.reason);
  return outcome.url;
}
