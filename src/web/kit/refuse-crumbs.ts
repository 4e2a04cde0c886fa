import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";

/** So many pieces are looked at before they are judged by their size. */
const MANY_PIECES = 1_024;
const LEAST_MEAN_BYTES = 64;

/**
 * Hangs up on whoever sends a body in crumbs, with 400 where nothing was answered yet. No HTTP client does so by itself,
 * and each crumb costs us far more than its sender: the parser finds ten thousand in one read of a connection, and nothing
 * else is done meanwhile. So it is the parser's pieces that are counted, as they come and whether anybody reads them or
 * not, and after the last that is suffered none gets any further.
 */
export function refuseCrumbs(request: IncomingMessage, response: ServerResponse): void {
  if (!mayHaveManyPieces(request)) return;
  const push = request.push.bind(request);
  let [size, pieces] = [0, 0];
  request.push = (piece: Buffer | null) => {
    size += piece?.length ?? 0;
    pieces += 1;
    if (piece === null || pieces <= MANY_PIECES || size >= pieces * LEAST_MEAN_BYTES) return push(piece);
    request.push = () => false;
    hangUp(request, response);
    return false;
  };
  // Node stops pushing what nobody reads once the answer is out, unless it was read by then.
  response.prependOnceListener("finish", () => {
    if (request.complete) return;
    request.read(0);
    request.resume();
  });
}

function mayHaveManyPieces({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > MANY_PIECES;
}

function hangUp({ socket }: IncomingMessage, { headersSent }: ServerResponse): void {
  if (!headersSent) socket.write(`HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}
