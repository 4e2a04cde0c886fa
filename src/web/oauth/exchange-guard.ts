import type { CodeExchange } from "#platform/hubspot/oauth/oauth-api.js";

export interface ExchangeLimits {
  /** Exchanges under way. */
  atOnce: number;
  /** Refused codes in a row, of all peers together and of one; each is forgotten after `forgetMs`. */
  refused: number;
  refusedPerPeer: number;
  forgetMs: number;
}

export const EXCHANGE_LIMITS: ExchangeLimits = {
  atOnce: 8,
  refused: 30,
  refusedPerPeer: 10,
  forgetMs: 6_000,
};

/** HubSpot's codes look like UUIDs, some with the hublet before them; nothing else is worth asking about. */
const CODE = /^[A-Za-z0-9._~-]{8,512}$/;

/** Refused codes that are remembered: a refused one stays refused. */
const REMEMBERED = 1_000;
/** Peers that are remembered; more of them are forgotten, the longest silent first. */
const MAX_PEERS = 1_000;

export interface ExchangeGuard {
  /**
   * Asks HubSpot about a code, unless that would be one question too many: `busy`, nothing was asked and the code is as
   * good as before. Codes that cannot be HubSpot's, and those that HubSpot has refused, are refused without asking.
   */
  exchange(code: string, peer: string): Promise<CodeExchange | "busy">;
  /** Whether an exchange may begin now; asked before anything of the request is used up. */
  hasRoom(peer: string): boolean;
}

/**
 * Anyone may call our callback with an invented code, and each costs a request to HubSpot with our secret, at the
 * endpoint that also refreshes every account's tokens. So codes that HubSpot refuses use up a bucket, the process's and
 * a smaller one per peer; valid codes use up nothing. Refreshes need no place here and never wait.
 */
export function guardExchange(options: {
  exchangeCode: (code: string) => Promise<CodeExchange>;
  nowMs: () => number;
  limits?: ExchangeLimits;
}): ExchangeGuard {
  const { exchangeCode, nowMs, limits = EXCHANGE_LIMITS } = options;
  const all = new Bucket(limits.refused, limits.forgetMs);
  const peers = new Map<string, Bucket>();
  const refused = new Set<string>();
  let underWay = 0;

  const bucketOf = (peer: string): Bucket => {
    const bucket = peers.get(peer) ?? new Bucket(limits.refusedPerPeer, limits.forgetMs);
    peers.delete(peer);
    peers.set(peer, bucket);
    dropOldest(peers, MAX_PEERS);
    return bucket;
  };
  const hasRoom = (peer: string): boolean =>
    underWay < limits.atOnce && all.hasRoom(nowMs()) && bucketOf(peer).hasRoom(nowMs());

  return {
    hasRoom,
    async exchange(code, peer) {
      if (!CODE.test(code) || refused.has(code)) return { kind: "code-refused" };
      if (!hasRoom(peer)) return "busy";
      underWay += 1;
      // Taken beforehand, so that many at once are counted too.
      const buckets = [all, bucketOf(peer)];
      for (const bucket of buckets) bucket.take(nowMs());
      try {
        const exchange = await exchangeCode(code);
        if (exchange.kind === "granted") for (const bucket of buckets) bucket.giveBack();
        else remember(refused, code);
        return exchange;
      } finally {
        underWay -= 1;
      }
    },
  };
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
