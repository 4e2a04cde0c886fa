import { isIPv4 } from "node:net";

/**
 * Whether a host is this machine itself, by its spelling alone: nothing is resolved.
 *
 * @param hostname as in `URL.hostname`, IPv6 addresses in brackets or without
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1") return true;
  return isIPv4(host) && host.startsWith("127.");
}
