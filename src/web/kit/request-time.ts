import { STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";

/** Set on a request whose handler bounds its time by itself. */
const TAKES_ITS_TIME = Symbol("takes its time");

type Timed = IncomingMessage & { [TAKES_ITS_TIME]?: true };

/**
 * Lets a request take longer than the server's `requestTimeout`, for a body that is streamed. Whoever calls this bounds
 * its time: nothing else ends it anymore.
 */
export function takeOverTime(request: IncomingMessage): void {
  (request as Timed)[TAKES_ITS_TIME] = true;
}

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Ends requests that cannot be read, or that did not come in time, as Node does by itself, except those whose handler took
 * over their time. Node looks at the time of each request once.
 */
export function guardRequestTime(server: Server): void {
  const latest = new WeakMap<Socket, Timed>();
  server.on("request", (request: Timed) => void latest.set(request.socket, request));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const request = latest.get(socket);
    const isTime = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    if (isTime && request?.complete === false && request[TAKES_ITS_TIME] === true) return;
    refuse(socket, STATUS_OF[error.code ?? ""] ?? 400, error);
  });
}

/** An answer that has begun is not mixed with another one. */
function refuse(socket: Socket, status: number, error: Error): void {
  const { _httpMessage: answer } = socket as { _httpMessage?: { _headerSent: boolean } | null };
  if (socket.writable && answer?._headerSent !== true)
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n\r\n`);
  socket.destroy(error);
}
