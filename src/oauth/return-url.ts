/** `https://app.hubspot.com`, or the same of another data region such as `app-eu1` (dossier §1.3, §2.2). */
const HUBSPOT_ORIGIN = /^https:\/\/app(-[a-z0-9]{1,16})?\.hubspot\.com$/;

/**
 * The `returnUrl` HubSpot sends along, if it is one of HubSpot's own; undefined for anything else, which must not be
 * followed: the parameter is anybody's to write.
 *
 * @param appUrl origin of HubSpot's UI in this installation; tests and the demo have it elsewhere.
 */
export function trustedReturnUrl(given: unknown, { appUrl }: { appUrl: string }): URL | undefined {
  if (typeof given !== "string" || !URL.canParse(given)) return undefined;
  const url = new URL(given);
  if (url.username !== "" || url.password !== "") return undefined;
  // `origin` is what the browser would connect to: host in lower case, default port dropped, tricks resolved.
  return HUBSPOT_ORIGIN.test(url.origin) || url.origin === new URL(appUrl).origin ? url : undefined;
}
