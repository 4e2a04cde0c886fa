/**
 * What HubSpot's proxy for the settings tab (`hubspot.fetch`) appends to the query of each request, to say who is asking
 * (docs/hubspot.md §8.2).
 */
export const PROXY_IDENTITY = ["portalId", "userId", "userEmail", "appId"] as const;

const NAMES: ReadonlySet<string> = new Set(PROXY_IDENTITY.map((name) => name.toLowerCase()));

/**
 * Whether a query carries any of these names, with or without a value, however it is spelled: the caller of the proxy
 * chooses what stands before them, such as a question mark of their own.
 *
 * @param address path and query as received
 */
export function carriesProxyIdentity(address: string): boolean {
  const start = address.indexOf("?");
  if (start === -1) return false;
  const parts = address.slice(start + 1).split(/[?&;#]|%(?:3f|26|3b|23)/i);
  return parts.some((part) => NAMES.has(nameOf(part)));
}

function nameOf(part: string): string {
  const [name = ""] = part.split(/=|%3d/i);
  try {
    return decodeURIComponent(name.replaceAll("+", " ")).trim().toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}
