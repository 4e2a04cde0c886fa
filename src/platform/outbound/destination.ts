import { isIP } from "node:net";
import { isInternal } from "./internal-addresses.js";

const LONGEST_URL = 2_000;
export const NOT_REACHABLE = "The address is not reachable from the internet.";

/** `host:port` as the operator writes it in PRIVATE_DESTINATIONS. */
function destinationOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port !== "" ? port : protocol === "http:" ? "80" : "443"}`;
}

/** Whether the operator named this host and port: it may be on their own network, and be spoken to by http. */
export function isPrivateDestination(url: URL, privateDestinations: ReadonlySet<string>): boolean {
  return privateDestinations.has(destinationOf(url));
}

/**
 * Why an address is refused that a customer wants something posted to, as a sentence for a form; undefined if it may be
 * used. What a name resolves to is checked while connecting (post.ts).
 *
 * @param privateDestinations `host:port` of the operator's own network that may be reached, by http too
 */
export function destinationProblem(
  given: string,
  privateDestinations: ReadonlySet<string>,
): string | undefined {
  if (!URL.canParse(given))
    return "This is not a web address. It should look like https://example.com/webhooks.";
  const url = new URL(given);
  if (given.length > LONGEST_URL) return "The address is too long.";
  if (url.username !== "" || url.password !== "")
    return "The address must not contain a user name or password.";
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  if (isWeb && isPrivateDestination(url, privateDestinations)) return undefined;
  if (url.protocol !== "https:") return "The address must begin with https://.";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && isInternal(host)) return NOT_REACHABLE;
  return undefined;
}
