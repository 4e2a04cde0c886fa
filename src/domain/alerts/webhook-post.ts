import { lookup as lookupAddress, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP } from "node:net";
import { Agent, fetch as fetchThrough } from "undici";

/** Addresses of the operator's own network and of cloud metadata: a customer's webhook must not reach them. */
const INTERNAL = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["168.63.129.16", 32],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  INTERNAL.addSubnet(network, prefix, "ipv4");
}
/** Teredo and 6to4 are within the unicast range and carry an IPv4 address, which may be any. */
INTERNAL.addSubnet("2001::", 32, "ipv6");
INTERNAL.addSubnet("2002::", 16, "ipv6");
/** The part of IPv6 that is assigned for use on the internet. */
const UNICAST = new BlockList();
UNICAST.addSubnet("2000::", 3, "ipv6");

function isInternal(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  if (isIP(plain) === 4) return INTERNAL.check(plain, "ipv4");
  return INTERNAL.check(plain, "ipv6") || !UNICAST.check(plain, "ipv6");
}

/** `host:port` as the operator writes it in PRIVATE_DESTINATIONS. */
function destinationOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port !== "" ? port : protocol === "http:" ? "80" : "443"}`;
}

/**
 * Why a webhook address is refused, as a sentence for the form; undefined if it may be used.
 *
 * @param privateDestinations `host:port` of the operator's own network that may be reached, by http too
 */
export function webhookUrlProblem(
  given: string,
  privateDestinations: ReadonlySet<string>,
): string | undefined {
  if (!URL.canParse(given))
    return "This is not a web address. It should look like https://example.com/alerts.";
  const url = new URL(given);
  if (given.length > 2000) return "The address is too long.";
  if (url.username !== "" || url.password !== "")
    return "The address must not contain a user name or password.";
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  if (isWeb && privateDestinations.has(destinationOf(url))) return undefined;
  if (url.protocol !== "https:") return "The address must begin with https://.";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && isInternal(host)) return "The address is not reachable from the internet.";
  return undefined;
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/**
 * Resolves a name and refuses internal addresses while connecting, so that the checked address is the one connected to.
 */
function publicLookup(hostname: string, options: LookupOptions, done: LookupCallback): void {
  lookupAddress(hostname, { ...options, all: true }, (fault, addresses) => {
    if (fault !== null) return done(fault, []);
    const usable = addresses.filter(({ address }) => !isInternal(address));
    const first = usable[0];
    if (first === undefined) return done(new Error("The address is not reachable from the internet."), []);
    if (options.all === true) return done(null, usable);
    return done(null, first.address, first.family);
  });
}

const TIMEOUT_MS = 10_000;

export interface WebhookAnswer {
  readonly status: number;
  /** The header as it came; null if there was none. */
  readonly retryAfter: string | null;
}

/** Posts JSON to a customer's webhook: no redirects, no internal addresses, ten seconds. Resolves with the answer. */
export interface WebhookPoster {
  post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<WebhookAnswer>;
  close(): Promise<void>;
}

/** @param privateDestinations see `webhookUrlProblem`: every other connection is judged by its address. */
export function createWebhookPoster(privateDestinations: ReadonlySet<string>): WebhookPoster {
  const guarded = new Agent({ connect: { timeout: 5_000, lookup: publicLookup }, connections: 4 });
  const unguarded = new Agent({ connect: { timeout: 5_000 }, connections: 4 });
  return {
    async post(url, body, headers) {
      const problem = webhookUrlProblem(url, privateDestinations);
      if (problem !== undefined) throw new Error(problem);
      const isPrivate = privateDestinations.has(destinationOf(new URL(url)));
      const response = await fetchThrough(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json", "user-agent": "sequence-enroller" },
        body,
        redirect: "manual",
        dispatcher: isPrivate ? unguarded : guarded,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      return { status: response.status, retryAfter: response.headers.get("retry-after") };
    },
    async close() {
      await Promise.all([guarded.close(), unguarded.close()]);
    },
  };
}
