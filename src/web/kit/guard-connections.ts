import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { peerOf } from "./peer.js";

export interface ConnectionLimits {
  /** Connections of all peers together. */
  total: number;
  /** Of one client (peer.ts); behind a proxy all come from one. */
  perPeer: number;
  /** How long whoever asked may take to read an answer that is complete. */
  readingMs: number;
  /** The same for one that is still being made, such as an export. */
  downloadMs: number;
  /** How often both are looked at. */
  sweepMs: number;
}

interface Connection {
  readonly peer: string;
  request: IncomingMessage | undefined;
  response: ServerResponse | undefined;
  /** When it was first seen to have an answer that is not read yet; monotonic ms. */
  unreadSinceMs: number | undefined;
}

/**
 * Keeps strangers from taking all connections. When there are too many, in total or from one peer, the one that has
 * waited for its client the longest is closed: an idle one, one with an incomplete request, or one whose answer is not
 * read. A complete call is never in danger, however many idle sockets someone opens. Only if all connections are
 * working is the new one closed. Answers that are not read in time are dropped with their connection.
 */
export function guardConnections(server: Server, limits: ConnectionLimits): void {
  // In the order of the last request, or of opening: the first has been silent the longest.
  const connections = new Map<Socket, Connection>();
  const counts = new Map<string, number>();

  server.on("connection", (socket) => {
    const peer = peerOf(socket.remoteAddress);
    connections.set(socket, { peer, request: undefined, response: undefined, unreadSinceMs: undefined });
    count(counts, peer, 1);
    socket.once("close", () => {
      connections.delete(socket);
      count(counts, peer, -1);
    });
    if ((counts.get(peer) ?? 0) > limits.perPeer) closeOldest(connections, peer, socket);
    else if (connections.size > limits.total) closeOldest(connections, undefined, socket);
  });
  server.on("request", (request, response) => {
    const connection = connections.get(request.socket);
    if (connection === undefined) return;
    connection.request = request;
    connection.response = response;
    connection.unreadSinceMs = undefined;
    connections.delete(request.socket);
    connections.set(request.socket, connection);
  });
  const sweep = setInterval(() => {
    closeUnread(connections, limits);
  }, limits.sweepMs).unref();
  server.once("close", () => {
    clearInterval(sweep);
  });
}

function count(counts: Map<string, number>, peer: string, change: number): void {
  const left = (counts.get(peer) ?? 0) + change;
  if (left === 0) counts.delete(peer);
  else counts.set(peer, left);
}

/** Whether the turn is ours: the request is there as a whole and its answer is not made yet. */
function isAtWork({ request, response }: Connection): boolean {
  return request?.complete === true && response?.writableEnded === false;
}

/** @param peer undefined for any; the newcomer itself is taken last. */
function closeOldest(connections: Map<Socket, Connection>, peer: string | undefined, newcomer: Socket): void {
  for (const [socket, connection] of connections) {
    // Its count goes down with its close, a moment later.
    const isCandidate = socket !== newcomer && !socket.destroyed && !isAtWork(connection);
    if (isCandidate && (peer === undefined || connection.peer === peer)) return void socket.destroy();
  }
  newcomer.destroy();
}

function closeUnread(connections: Map<Socket, Connection>, limits: ConnectionLimits): void {
  const nowMs = performance.now();
  for (const [socket, connection] of connections) {
    const { response } = connection;
    if (response?.headersSent !== true || response.writableFinished) {
      connection.unreadSinceMs = undefined;
      continue;
    }
    connection.unreadSinceMs ??= nowMs;
    const allowedMs = response.writableEnded ? limits.readingMs : limits.downloadMs;
    if (nowMs - connection.unreadSinceMs > allowedMs) socket.destroy();
  }
}
