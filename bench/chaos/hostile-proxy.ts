import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What is done to a connection. */
export const BREAKS = ["cut", "lose the answer", "mute"] as const;
export type Break = (typeof BREAKS)[number];

/** An answer that was lost is followed by the end of its connection, as when a machine on the way is restarted. */
const CUT_AFTER_LOSS_MS = 400;

/** PostgreSQL ends each answer with ReadyForQuery, which says whether a transaction is open: "T", or "I" for none. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** A statement was sent, and its answer has not come. */
  isBusy: boolean;
  /** What the server says is swallowed; what it is told still arrives, so that a COMMIT takes effect unseen. */
  isMute: boolean;
  /** Answers inside the transaction that is open, that to BEGIN among them. */
  answersInTransaction: number;
}

/** The network between one process of the app and its database: passes everything on, and breaks what it is told to. */
export class HostileProxy {
  /** The database, by way of the proxy. */
  readonly url: string;
  readonly counts: Record<Break, number> = { cut: 0, "lose the answer": 0, mute: 0 };
  readonly #server: Server;
  readonly #pairs: Set<Pair>;
  readonly #timers = new Set<NodeJS.Timeout>();
  #onTransaction: (() => void) | undefined;

  private constructor(url: string, { server, pairs }: { server: Server; pairs: Set<Pair> }) {
    this.url = url;
    this.#server = server;
    this.#pairs = pairs;
  }

  /** @param databaseUrl of a server on this machine, without TLS: the proxy reads where a transaction stands. */
  static async start(databaseUrl: string): Promise<HostileProxy> {
    const target = new URL(databaseUrl);
    const pairs = new Set<Pair>();
    const server = createServer((near) => {
      const far = connect({ host: target.hostname, port: Number(target.port) });
      proxy.#join({ near, far, isBusy: false, isMute: false, answersInTransaction: 0 });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = new URL(databaseUrl);
    url.hostname = "127.0.0.1";
    url.port = String((server.address() as AddressInfo).port);
    const proxy = new HostileProxy(url.href, { server, pairs });
    return proxy;
  }

  /**
   * Breaks one connection, a busy one if there is any.
   *
   * @param choice from [0, 1), which of them.
   * @param muteMs how long a muted one stays silent before it ends.
   * @returns false if nothing is connected.
   */
  breakOne(how: Break, { choice, muteMs }: { choice: number; muteMs: number }): boolean {
    const open = [...this.#pairs].filter(({ isMute }) => !isMute);
    const busy = open.filter(({ isBusy }) => isBusy);
    const candidates = busy.length > 0 ? busy : open;
    const pair = candidates[Math.floor(choice * candidates.length)];
    if (pair === undefined) return false;
    this.counts[how] += 1;
    if (how === "cut") {
      this.#end(pair);
      return true;
    }
    pair.isMute = true;
    this.#later(how === "mute" ? muteMs : CUT_AFTER_LOSS_MS, () => {
      this.#end(pair);
    });
    return true;
  }

  /**
   * Calls back once, as soon as a statement inside a transaction was answered, and before the answer is passed on: the
   * process still holds the locks it took. `undefined` takes an earlier wish back.
   */
  onTransaction(callBack: (() => void) | undefined): void {
    this.#onTransaction = callBack;
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const pair of this.#pairs) this.#end(pair);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(pair: Pair): void {
    const { near, far } = pair;
    this.#pairs.add(pair);
    near.on("data", (bytes: Buffer) => {
      pair.isBusy = true;
      far.write(bytes);
    });
    far.on("data", (bytes: Buffer) => {
      this.#answered(pair, bytes);
      if (!pair.isMute) near.write(bytes);
    });
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      for (const end of ["error", "close"])
        socket.on(end, () => {
          this.#end(pair);
        });
    }
  }

  #answered(pair: Pair, bytes: Buffer): void {
    const end = bytes.subarray(-6);
    if (!end.subarray(0, 5).equals(READY)) return;
    pair.isBusy = false;
    pair.answersInTransaction = end[5] === "T".charCodeAt(0) ? pair.answersInTransaction + 1 : 0;
    if (pair.answersInTransaction < 2 || pair.isMute) return;
    const callBack = this.#onTransaction;
    this.#onTransaction = undefined;
    callBack?.();
  }

  #end(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    this.#timers.add(timer);
  }
}
