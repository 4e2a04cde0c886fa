import type { CodeExchange } from "#platform/hubspot/oauth/oauth-api.js";

export interface ExchangeLimits {
  /** Exchanges under way. */
  atOnce: number;
  /** Requests that wait for one of these places, and how long each may. */
  waiting: number;
  patienceMs: number;
  /** Refused codes in a row, of all peers together and of one; each is forgotten after `forgetMs`. */
  refused: number;
  refusedPerPeer: number;
  forgetMs: number;
}

/**
 * Codes that come back to the browser that we sent to HubSpot, and codes that come without a state, as from HubSpot's
 * marketplace, which anyone can send. Each kind has limits of its own: strangers' codes leave an honest sign-in its place.
 * A proxy in front counts as one peer, so a browser's peer may have half of all.
 */
export const EXCHANGE_LIMITS = {
  browser: {
    atOnce: 8,
    waiting: 64,
    patienceMs: 5_000,
    refused: 60,
    refusedPerPeer: 30,
    forgetMs: 1_000,
  },
  stranger: {
    atOnce: 4,
    waiting: 16,
    patienceMs: 2_000,
    refused: 30,
    refusedPerPeer: 10,
    forgetMs: 6_000,
  },
} as const satisfies Record<string, ExchangeLimits>;

/** HubSpot's codes look like UUIDs, some with the hublet before them; nothing else is worth asking about. */
const CODE = /^[A-Za-z0-9._~-]{8,512}$/;

/** Refused codes that are remembered: a refused one stays refused. */
const REMEMBERED = 1_000;
/** Peers that are remembered; more of them are forgotten, the longest silent first. */
const MAX_PEERS = 1_000;

export interface ExchangeGuard {
  /**
   * Waits for a place. Called before anything of the request is used up: undefined, there was none, and everything is as
   * good as before.
   */
  enter(peer: string): Promise<ExchangePlace | undefined>;
}

/** For codes that browsers bring back, and for those of strangers. */
export type ExchangeGuards = Readonly<Record<keyof typeof EXCHANGE_LIMITS, ExchangeGuard>>;

/** One request's place among those that may ask HubSpot. */
export interface ExchangePlace {
  /**
   * Asks HubSpot about a code. Codes that cannot be HubSpot's, and those that HubSpot has refused, are refused without
   * asking.
   */
  exchange(code: string): Promise<CodeExchange>;
  /** To be called once, in any case. */
  leave(): void;
}

/**
 * Anyone may call our callback with an invented code, and each costs a request to HubSpot with our secret, at the
 * endpoint that also refreshes every account's tokens. So codes that HubSpot refuses use up a bucket, the process's and
 * a smaller one per peer; valid codes use up nothing. Refreshes need no place here and never wait.
 */
export function guardExchange(options: {
  exchangeCode: (code: string) => Promise<CodeExchange>;
  nowMs: () => number;
  limits: ExchangeLimits;
}): ExchangeGuard {
  const { exchangeCode, nowMs, limits } = options;
  const all = new Bucket(limits.refused, limits.forgetMs);
  const peers = new Map<string, Bucket>();
  const refused = new Set<string>();
  const places = new Places(limits);

  const bucketOf = (peer: string): Bucket => {
    const bucket = peers.get(peer) ?? new Bucket(limits.refusedPerPeer, limits.forgetMs);
    peers.delete(peer);
    peers.set(peer, bucket);
    dropOldest(peers, MAX_PEERS);
    return bucket;
  };
  const mayAsk = (peer: string): boolean => all.hasRoom(nowMs()) && bucketOf(peer).hasRoom(nowMs());

  async function exchange(code: string, peer: string): Promise<CodeExchange> {
    if (!CODE.test(code) || refused.has(code)) return { kind: "code-refused" };
    // Taken beforehand, so that many at once are counted too.
    const buckets = [all, bucketOf(peer)];
    for (const bucket of buckets) bucket.take(nowMs());
    const exchanged = await exchangeCode(code);
    if (exchanged.kind === "granted") for (const bucket of buckets) bucket.giveBack();
    else remember(refused, code);
    return exchanged;
  }

  return {
    async enter(peer) {
      if (!mayAsk(peer) || !(await places.take())) return undefined;
      // Those before it may have used up what there was.
      if (mayAsk(peer))
        return {
          exchange: (code) => exchange(code, peer),
          leave: () => {
            places.leave();
          },
        };
      places.leave();
      return undefined;
    },
  };
}

/** A few at a time; the others wait for their turn, in order of arrival, for as long as they have patience. */
class Places {
  readonly #limits: Pick<ExchangeLimits, "atOnce" | "waiting" | "patienceMs">;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(limits: Pick<ExchangeLimits, "atOnce" | "waiting" | "patienceMs">) {
    this.#limits = limits;
  }

  /** @returns false if there is none in time. */
  async take(): Promise<boolean> {
    const { atOnce, waiting, patienceMs } = this.#limits;
    if (this.#taken < atOnce) {
      this.#taken += 1;
      return true;
    }
    if (this.#waiting.size >= waiting) return false;
    return new Promise((resolve) => {
      const settle = (hasPlace: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(next);
        resolve(hasPlace);
      };
      const next = (): void => {
        settle(true);
      };
      const timer = setTimeout(settle, patienceMs, false);
      this.#waiting.add(next);
    });
  }

  /** Hands the place on to whoever waits. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}

function remember(codes: Set<string>, code: string): void {
  codes.add(code);
  dropOldest(codes, REMEMBERED);
}

function dropOldest(kept: Map<string, unknown> | Set<string>, most: number): void {
  const [oldest] = kept.keys();
  if (kept.size > most && oldest !== undefined) kept.delete(oldest);
}

/** Fills by what is taken, and empties by one each `forgetMs`. */
class Bucket {
  private level = 0;
  private atMs = 0;
  private readonly size: number;
  private readonly forgetMs: number;

  constructor(size: number, forgetMs: number) {
    this.size = size;
    this.forgetMs = forgetMs;
  }

  hasRoom(nowMs: number): boolean {
    this.level = Math.max(0, this.level - (nowMs - this.atMs) / this.forgetMs);
    this.atMs = nowMs;
    return this.level + 1 <= this.size;
  }

  take(nowMs: number): void {
    this.hasRoom(nowMs);
    this.level += 1;
  }

  giveBack(): void {
    this.level = Math.max(0, this.level - 1);
  }
}
