import { connect, createServer, type Socket } from "node:net";

/** A way to a PostgreSQL server that takes its time, as one through a VPN or to another region does. */
export interface SlowWay {
  readonly url: string;
  /** Of everything that is sent to the server: a round trip takes that much longer. */
  delayMs: number;
  /** Before a connection is passed on at all. */
  connectDelayMs: number;
  close(): Promise<void>;
}

/** @param options.port where it listens; by default any. */
export async function openSlowWay(databaseUrl: string, options: { port?: number } = {}): Promise<SlowWay> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const way = { url: "", delayMs: 0, connectDelayMs: 0, close: () => closeAll() };
  const server = createServer((near) => {
    const far = connect({ host: target.hostname, port: Number(target.port) });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    far.pipe(near);
    // In the order in which it came, whatever the delay was then.
    let earlier = new Promise<void>((resolve) => setTimeout(resolve, way.connectDelayMs));
    near.on("data", (chunk: Buffer) => {
      const due = new Promise<void>((resolve) => setTimeout(resolve, way.delayMs));
      earlier = Promise.all([earlier, due]).then(() => void far.write(chunk));
    });
  });
  async function closeAll(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const address = server.address();
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(typeof address === "object" && address !== null ? address.port : 0);
  way.url = url.href;
  return way;
}
