import { BlockList, isIP } from "node:net";

/** Addresses of the operator's own network and of cloud metadata, and those that belong to nobody on the internet. */
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
/**
 * Within IPv6's unicast range: protocol assignments, of which Teredo carries any IPv4 address, as 6to4 does; and the
 * two ranges for documentation.
 */
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const) {
  INTERNAL.addSubnet(network, prefix, "ipv6");
}
/**
 * The part of IPv6 that is assigned for use on the internet. Outside it are loopback, unique local, link-local and
 * multicast addresses, and those that carry an IPv4 address (mapped, compatible, NAT64).
 */
const UNICAST = new BlockList();
UNICAST.addSubnet("2000::", 3, "ipv6");

/** Whether an IP address, in any notation that Node gives, is one that a customer's webhook must not reach. */
export function isInternal(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  if (isIP(plain) === 4) return INTERNAL.check(plain, "ipv4");
  return INTERNAL.check(plain, "ipv6") || !UNICAST.check(plain, "ipv6");
}
