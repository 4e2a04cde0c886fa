import type { RequestListener } from "node:http";
import type { Socket } from "node:net";

/**
 * Closes a connection that has more than `most` concurrent requests. A client may send further requests before it has
 * an answer; the parser finds thousands in one read of a connection and emits each before anything else happens, so
 * those beyond the limit must cost nothing: none of them reaches `handle`.
 */
export function boundPipelining(handle: RequestListener, most: number): RequestListener {
  const underWay = new WeakMap<Socket, number>();
  const add = (socket: Socket, change: number): number => {
    const count = (underWay.get(socket) ?? 0) + change;
    underWay.set(socket, count);
    return count;
  };
  return (request, response) => {
    const { socket } = request;
    if (add(socket, 1) > most) {
      socket.destroy();
      return;
    }
    response.once("close", () => {
      add(socket, -1);
    });
    handle(request, response);
  };
}
