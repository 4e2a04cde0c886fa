import type { RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Closes a connection that has more than `most` concurrent requests. A client may send further requests before it has
 * an answer; the parser finds thousands in one read of a connection and emits each before anything else happens, so
 * those beyond the limit must cost nothing: none of them reaches `handle`.
 */
export function boundPipelining(handle: RequestListener, most: number): RequestListener {
  const underWay = new WeakMap<Socket, { requests: number }>();
  // One function for all: a closure for each request costs as much as a third of reading its body.
  function leave(this: ServerResponse): void {
    const connection = underWay.get(this.req.socket);
    if (connection !== undefined) connection.requests -= 1;
  }
  return (request, response) => {
    const { socket } = request;
    let connection = underWay.get(socket);
    if (connection === undefined) underWay.set(socket, (connection = { requests: 0 }));
    connection.requests += 1;
    if (connection.requests > most) {
      socket.destroy();
      return;
    }
    response.on("close", leave);
    handle(request, response);
  };
}
