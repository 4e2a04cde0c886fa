import { IncomingMessage, STATUS_CODES, ServerResponse } from "node:http";
import type { Express, Response } from "express";
import { muteParser } from "./mute-parser.js";

/** This many pieces are looked at before they are judged by their size. */
const MANY_PIECES = 256;
/** Below the shortest row of a batch (45), which a program may well send row by row. */
const LEAST_MEAN_BYTES = 40;
/**
 * Pieces of all connections together that are looked at in one turn of the event loop. Beyond it, whoever sends crumbs is
 * judged by the first few of them: hundreds of connections at once would hold up everybody else, too.
 */
const MOST_PIECES_A_TURN = 4_096;
const FEW_PIECES = 16;

/** What was counted of a request's pieces. */
const COUNTED = Symbol("pieces");

type CountedRequest = IncomingMessage & {
  [COUNTED]?: { size: number; pieces: number };
  /** Set by Express. */
  readonly res?: ServerResponse;
};

/**
 * Hangs up on whoever sends a body in crumbs, with 400 if nothing was answered yet. No HTTP client does so by itself, and
 * each crumb costs us far more than its sender: the parser finds ten thousand in one read of a connection, and nothing else
 * is done meanwhile. So it is the parser's pieces that are counted, as they come and whether anybody reads them or not, and
 * after the last that is suffered the parser hands out no more.
 *
 * Express gives each request and response the app's prototypes, and these are extended here: a function or a listener
 * for each request would cost one in fifteen parts of what accepting a call does.
 */
export function refuseCrumbs({ request: requests, response: responses }: Express): void {
  const mostNow = createTurnLimit();
  const pushOn = (request: IncomingMessage, piece: Buffer | null): boolean =>
    IncomingMessage.prototype.push.call(request, piece);

  requests.push = function (this: CountedRequest, piece: Buffer | null): boolean {
    if (piece === null || !mayHaveManyPieces(this)) return pushOn(this, piece);
    const counted = (this[COUNTED] ??= { size: 0, pieces: 0 });
    counted.size += piece.length;
    counted.pieces += 1;
    const { size, pieces } = counted;
    if (size >= pieces * LEAST_MEAN_BYTES || pieces <= mostNow()) return pushOn(this, piece);
    this.push = () => false;
    hangUp(this);
    return false;
  };

  responses.end = function (this: Response, ...given: unknown[]): Response {
    // Whoever answers before the whole body is there may leave the rest to nobody.
    if (!this.req.complete && !this.writableEnded) this.prependOnceListener("finish", readOn);
    return ServerResponse.prototype.end.apply(this, given as Parameters<ServerResponse["end"]>) as Response;
  };
}

/** Node stops pushing what nobody reads once the answer is out, unless it was read by then. */
function readOn(this: ServerResponse): void {
  const { req: request } = this;
  if (request.complete) return;
  request.read(0);
  request.resume();
}

/** How many crumbs one request may send; each question counts as a crumb of this turn of the event loop. */
function createTurnLimit(): () => number {
  let asked = 0;
  return () => {
    asked += 1;
    if (asked === 1) setImmediate(() => (asked = 0));
    return asked > MOST_PIECES_A_TURN ? FEW_PIECES : MANY_PIECES;
  };
}

function mayHaveManyPieces({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > MANY_PIECES;
}

function hangUp({ socket, res: response }: CountedRequest): void {
  muteParser(socket);
  if (response?.headersSent !== true)
    socket.write(`HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}
