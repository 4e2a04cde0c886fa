import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "@jest/globals";
import { guardConnections } from "#web/kit/guard-connections.js";
import { peerOf } from "#web/kit/peer.js";

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2::7", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::", "2001:db8:0:0::/64"],
  ["2001:db8:1::7:8", "2001:db8:1:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  [undefined, ""],
])("a client at %s counts as %s", (address, peer) => {
  expect(peerOf(address)).toBe(peer);
});

test("one IPv6 client has no more connections than the limit, however many of its addresses it uses", () => {
  const server = new EventEmitter();
  guardConnections(server as unknown as Server, {
    ...{ total: 100, perPeer: 5, readingMs: 1_000, downloadMs: 1_000, sweepMs: 60_000 },
  });
  const open = (address: string): Socket => {
    const socket = new Socket();
    Object.defineProperty(socket, "remoteAddress", { value: address });
    server.emit("connection", socket);
    return socket;
  };
  const ofOne = Array.from({ length: 40 }, (_, at) => open(`2001:db8:1:2::${at.toString(16)}`));
  const ofAnother = open("2001:db8:1:3::1");
  expect(ofOne.filter(({ destroyed }) => !destroyed)).toHaveLength(5);
  expect(ofAnother.destroyed).toBe(false);
});
