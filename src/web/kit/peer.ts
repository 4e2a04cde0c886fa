import { isIPv6 } from "node:net";

/** `::ffff:203.0.113.7`: an IPv4 client of a server that listens on both. */
const MAPPED = /^(?:0{0,4}:){0,5}:{0,2}ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
/** Groups of 16 bits that name a network: whoever has one has all 2^64 addresses in it. */
const NETWORK_GROUPS = 4;

/**
 * Who counts as one client in limits: an IPv4 address, or the /64 network of an IPv6 address, since a single machine may
 * use every address of its network and would never reach a limit by address.
 *
 * @param address as `socket.remoteAddress` gives it; undefined once the client is gone.
 */
export function peerOf(address: string | undefined): string {
  const [bare = ""] = (address ?? "").split("%");
  const mapped = MAPPED.exec(bare)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(bare)) return bare;
  return `${groupsOf(bare).slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

/** All eight groups without leading zeros; an IPv4 tail does not matter, as it is no part of the network. */
function groupsOf(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...(tail === undefined ? [] : zeros), ...after].map((group) =>
    group.replace(/^0{1,3}(?=.)/, "").toLowerCase(),
  );
}
