import { STATUS_CODES, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
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

const COUNTED = Symbol("what was counted of a request's pieces");

/**
 * Hangs up on whoever sends a body in crumbs, with 400 if nothing was answered yet. No HTTP client does so by itself, and
 * each crumb costs us far more than its sender: the parser finds ten thousand in one read of a connection, and nothing else
 * is done meanwhile. So it is the parser's pieces that are counted, as they come and whether anybody reads them or not, and
 * after the last that is suffered the parser hands out no more.
 */
export function createCrumbGuard(): RequestListener {
  const mostNow = createTurnLimit();

  function push(this: CountedRequest, piece: Buffer | null): boolean {
    const counted = this[COUNTED];
    counted.size += piece?.length ?? 0;
    counted.pieces += 1;
    const { size, pieces } = counted;
    if (piece === null || size >= pieces * LEAST_MEAN_BYTES || pieces <= mostNow())
      return counted.push.call(this, piece);
    this.push = pushNothing;
    hangUp(this, counted.response);
    return false;
  }

  return (request, response) => {
    if (!mayHaveManyPieces(request)) return;
    const counted = request as CountedRequest;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its request
    counted[COUNTED] = { response, push: request.push, size: 0, pieces: 0 };
    counted.push = push;
    response.prependListener("finish", readOn);
  };
}

/** A request whose pieces are counted. The functions are shared, since every call of an action passes here. */
interface CountedRequest extends IncomingMessage {
  [COUNTED]: {
    readonly response: ServerResponse;
    readonly push: IncomingMessage["push"];
    size: number;
    pieces: number;
  };
}

function pushNothing(): boolean {
  return false;
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

function hangUp({ socket }: IncomingMessage, { headersSent }: ServerResponse): void {
  muteParser(socket);
  if (!headersSent) socket.write(`HTTP/1.1 400 ${STATUS_CODES[400]}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}
