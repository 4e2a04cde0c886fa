import { connect, createServer, type Socket } from "node:net";

/** What a client sent of its own accord when it had connected: names in the start-up packet, then each statement's text. */
export interface TappedConnection {
  readonly startUp: Record<string, string>;
  readonly statements: string[];
}

/** A way to a PostgreSQL server that notes what is said by each client. */
export interface WireTap {
  readonly url: string;
  readonly connections: TappedConnection[];
  /** Bytes of each row that the server sent, in the order in which they came. */
  readonly rowBytes: number[];
  /** Closes each connection that sends a matching statement from now on, before the server hears of it; undefined: none. */
  cutAt(statement: RegExp | undefined): void;
  close(): Promise<void>;
}

interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** Takes whole messages off the front of what has come. The start-up packet alone has no type. */
function takeMessages(buffer: Buffer, isStarted: boolean): { messages: Message[]; rest: Buffer } {
  const messages: Message[] = [];
  let rest = buffer;
  for (let started = isStarted; ;) {
    const head = started ? 1 : 0;
    if (rest.length < head + 4) return { messages, rest };
    const end = head + rest.readInt32BE(head);
    if (rest.length < end) return { messages, rest };
    messages.push({
      type: started ? String.fromCharCode(rest[0] ?? 0) : "start-up",
      body: rest.subarray(head + 4, end),
    });
    rest = rest.subarray(end);
    started = true;
  }
}

function readStartUp(body: Buffer): Record<string, string> {
  const words = body.subarray(4).toString("utf8").split("\0");
  const pairs: Record<string, string> = {};
  for (let at = 0; at + 1 < words.length && words[at] !== ""; at += 2)
    pairs[words[at] ?? ""] = words[at + 1] ?? "";
  return pairs;
}

/** Text of a simple query, or of a statement that is parsed; undefined for everything else. */
function statementOf({ type, body }: Message): string | undefined {
  const texts = body.toString("utf8").split("\0");
  return type === "Q" ? texts[0] : type === "P" ? texts[1] : undefined;
}

/** Reads the server's messages as they come, without keeping them. @returns takes what came; tells the bytes of each row. */
function watchRows(onRow: (bytes: number) => void): (chunk: Buffer) => void {
  let head = Buffer.alloc(0);
  let bodyLeft = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (bodyLeft > 0) {
        const taken = Math.min(bodyLeft, chunk.length - at);
        bodyLeft -= taken;
        at += taken;
        continue;
      }
      const part = chunk.subarray(at, at + 5 - head.length);
      head = Buffer.concat([head, part]);
      at += part.length;
      if (head.length < 5) return;
      bodyLeft = head.readInt32BE(1) - 4;
      if (String.fromCharCode(head[0] ?? 0) === "D") onRow(bodyLeft);
      head = Buffer.alloc(0);
    }
  };
}

export async function tapWire(databaseUrl: string): Promise<WireTap> {
  const target = new URL(databaseUrl);
  const connections: TappedConnection[] = [];
  const rowBytes: number[] = [];
  const sockets = new Set<Socket>();
  let cutting: RegExp | undefined;
  const server = createServer((near) => {
    const far = connect({ host: target.hostname, port: Number(target.port) });
    const statements: string[] = [];
    let unread: Buffer = Buffer.alloc(0);
    let isStarted = false;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    far.on(
      "data",
      watchRows((bytes) => rowBytes.push(bytes)),
    );
    far.pipe(near);
    near.on("data", (chunk: Buffer) => {
      const { messages, rest } = takeMessages(Buffer.concat([unread, chunk]), isStarted);
      unread = rest;
      for (const message of messages) {
        if (message.type === "start-up") connections.push({ startUp: readStartUp(message.body), statements });
        isStarted = true;
        const statement = statementOf(message);
        if (statement === undefined) continue;
        statements.push(statement);
        if (cutting?.test(statement)) return void near.destroy();
      }
      far.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(typeof address === "object" && address !== null ? address.port : 0);
  return {
    url: url.href,
    connections,
    rowBytes,
    cutAt(statement) {
      cutting = statement;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}
