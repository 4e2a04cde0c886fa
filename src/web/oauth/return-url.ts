import type { OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";

/** `https://app.hubspot.com`, or the same of another data region such as `app-eu1` (docs/hubspot.md §1.3, §2.2). */
const HUBSPOT_ORIGIN = /^https:\/\/app(-[a-z0-9]{1,16})?\.hubspot\.com$/;

export interface ReturnOptions {
  /** Origin of HubSpot's UI in this installation; tests and the demo have it elsewhere. */
  appUrl: string;
  oauthApi: Pick<OAuthApi, "clientId" | "redirectUri">;
}

/**
 * The `returnUrl` HubSpot sends along, if it is one of HubSpot's own and asks consent for no app but ours; undefined
 * for anything else, which must not be followed: the parameter is anybody's to write.
 */
export function trustedReturnUrl(given: unknown, options: ReturnOptions): URL | undefined {
  if (typeof given !== "string" || !URL.canParse(given)) return undefined;
  const url = new URL(given);
  if (url.username !== "" || url.password !== "") return undefined;
  // `origin` is what the browser would connect to: host in lower case, default port dropped, tricks resolved.
  const isHubSpots = HUBSPOT_ORIGIN.test(url.origin) || url.origin === new URL(options.appUrl).origin;
  return isHubSpots && isForOurApp(url, options) ? url : undefined;
}

/**
 * The same before consent, where our state is added: none may be there already, or HubSpot would be free to take the
 * other one.
 */
export function returnUrlForState(given: unknown, options: ReturnOptions): URL | undefined {
  const url = trustedReturnUrl(given, options);
  return url?.searchParams.has("state") === true ? undefined : url;
}

/** HubSpot's consent page hands the state on to the app the address names: a foreign one would learn it. */
function isForOurApp({ searchParams }: URL, { oauthApi }: ReturnOptions): boolean {
  const isOnly = (name: string, ours: string) => searchParams.getAll(name).every((value) => value === ours);
  return isOnly("client_id", oauthApi.clientId) && isOnly("redirect_uri", oauthApi.redirectUri);
}
