/** A place in HubSpot's rolling window, taken before a request and settled once its answer is in. */
export interface RequestSlot {
  /**
   * The request was sent and has ended, however: the slot leaves the window a whole window from now.
   *
   * @param isAnswered HubSpot itself answered, and so has counted it by now
   */
  settle(isAnswered?: boolean): void;
  /** No request was sent: the slot is free again at once. */
  giveBack(): void;
  /**
   * Learns from the rate headers of this request's answer (docs/hubspot.md §6): an allowance below our limit is kept to, and
   * requests of this app that the budget does not know of are given a slot each, as if they had just been sent.
   */
  observe(headers: { max: number; remaining: number }): void;
}

export interface RequestBudgetOptions {
  /** Requests HubSpot allows per window (docs/hubspot.md §6: 110). */
  limit: number;
  /** Length of the rolling window, in ms (docs/hubspot.md §6: 10 000). */
  windowMs: number;
  /** Monotonic clock in ms. */
  now: () => number;
  /** What an earlier owner of the portal left in the window: ms from now until each of its requests leaves it. */
  inheritedMs?: readonly number[];
  /** What HubSpot's last answer to an earlier owner allowed, if that is known. */
  allowance?: number | undefined;
  /** This many of these requests are always left to others: see {@link siteReserve}. By default none. */
  reserve?: number;
}

/**
 * Requests per window that a portal's owner never uses, so that what a person asks on the settings site finds room
 * beside any backlog (platform/queue/site-slots.ts). A small limit has none: the site then sends requests only while
 * nobody drains the portal.
 */
export function siteReserve(limit: number): number {
  return Math.min(2, Math.floor(limit * 0.02));
}

/**
 * The part of that reserve that imports may use: of two requests they leave one to people on the site. A slice of rows that
 * takes more than one request, because some name an id and some an address, has all of it once it has begun.
 *
 * @param earlier requests that were made for the slice before
 */
export function importReserve(limit: number, earlier: number): number {
  return earlier === 0 ? Math.min(1, siteReserve(limit)) : siteReserve(limit);
}

/** Covers the rounding of timers and of HubSpot's clock against ours over one window. */
const MARGIN_MS = 10;

/**
 * One portal's request budget, exact by construction: a request holds its slot from before it is sent until a whole
 * window after its answer arrived. HubSpot counted it at some moment in between, so none of HubSpot's rolling
 * windows can ever hold more than `limit` of our requests, nor with the site's reserve more than HubSpot allows.
 *
 * One owner per portal at a time (platform/queue/portal-lease.ts) is what allows this to live in memory.
 */
export class RequestBudget {
  /** Length of the rolling window, in ms. */
  readonly windowMs: number;
  readonly #now: () => number;
  /** The maximum we ever send; HubSpot may allow less. */
  readonly #most: number;
  #allowance: number | undefined;
  readonly #reserve: number;
  #inFlight = 0;
  /** Instants at which settled requests leave the window, ascending. */
  #leaving: number[];
  #sent = 0;
  /** Slots taken, by us or for requests we only heard of, so far: what a late answer may have counted is told by it. */
  #added = 0;
  /** Nothing is sent before this instant. */
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(options: RequestBudgetOptions) {
    this.#most = options.limit;
    this.#allowance = options.allowance;
    this.#reserve = options.reserve ?? 0;
    this.windowMs = options.windowMs;
    this.#now = options.now;
    const now = options.now();
    this.#leaving = (options.inheritedMs ?? []).map((ms) => now + ms).sort((a, b) => a - b);
  }

  /**
   * Requests per window that we may send now: our own limit, or HubSpot's allowance if that is less; without the
   * reserve.
   */
  get limit(): number {
    return Math.max(1, this.#ceiling - this.#reserve);
  }

  get #ceiling(): number {
    return Math.min(this.#most, this.#allowance ?? this.#most);
  }

  /** What HubSpot allows by its last answer; for the next owner, which would otherwise begin with too much. */
  get allowance(): number | undefined {
    return this.#allowance;
  }

  /** How many requests may be sent at this moment. */
  available(): number {
    this.#dropExpired();
    if (this.#now() < this.#restsUntil) return 0;
    return Math.max(0, this.limit - this.#inFlight - this.#leaving.length);
  }

  /** Requests in HubSpot's window now, those under way among them. */
  counted(): number {
    this.#dropExpired();
    return this.#inFlight + this.#leaving.length;
  }

  /** Requests sent through this budget so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Takes a slot, or nothing when the window is full. */
  tryTake(): RequestSlot | undefined {
    if (this.available() === 0) return undefined;
    this.#inFlight += 1;
    this.#added += 1;
    const before = { known: this.#inFlight + this.#leaving.length, added: this.#added };
    let isHeld = true;
    const end = (wasSent: boolean): void => {
      if (!isHeld) return;
      isHeld = false;
      this.#inFlight -= 1;
      if (!wasSent) return;
      this.#sent += 1;
      this.#leaving.push(this.#now() + this.windowMs + MARGIN_MS);
    };
    return {
      settle: () => {
        end(true);
      },
      giveBack: () => {
        end(false);
      },
      observe: (headers) => {
        this.#observe(headers, before);
      },
    };
  }

  /** Ms until at least one slot is free; 0 when one is. Infinity while every slot is held by a request in flight. */
  msUntilAvailable(): number {
    if (this.available() > 0) return 0;
    const restMs = Math.max(0, this.#restsUntil - this.#now());
    const excess = this.#inFlight + this.#leaving.length - this.limit;
    if (excess < 0) return restMs;
    const first = this.#leaving[excess];
    return first === undefined ? Number.POSITIVE_INFINITY : Math.max(1, restMs, first - this.#now());
  }

  /** HubSpot said the window is full (429): nothing is sent for `waitMs`. */
  exhaust(waitMs: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, this.#now() + waitMs);
  }

  /**
   * What the next owner must know: ms from now until each request leaves the window. In-flight ones count in full; while
   * the portal rests after a 429, so does every slot until the rest is over, those of the reserve too.
   */
  handOver(): number[] {
    this.#dropExpired();
    const now = this.#now();
    const restMs = Math.ceil(Math.max(0, this.#restsUntil - now));
    const settled = this.#leaving.map((instant) => Math.max(restMs, Math.ceil(instant - now)));
    const inFlight = Array.from({ length: this.#inFlight }, () => this.windowMs + MARGIN_MS);
    const free = restMs === 0 ? 0 : Math.max(0, this.#ceiling - settled.length - inFlight.length);
    return [...settled, ...inFlight, ...Array.from({ length: free }, () => restMs)];
  }

  /**
   * HubSpot counted when the request arrived, somewhere between `before` and now. Of our requests it can only
   * have counted those in the window then and those since, though some of it may have left the window meanwhile.
   */
  #observe(headers: { max: number; remaining: number }, before: { known: number; added: number }): void {
    if (headers.max > 0) this.#allowance = headers.max;
    const ours = before.known + this.#added - before.added;
    // More than the window holds changes nothing, and would only be remembered.
    this.#fill(Math.min(headers.max - headers.remaining - ours, this.#most));
  }

  #fill(count: number): void {
    const leavesAt = this.#now() + this.windowMs + MARGIN_MS;
    for (let index = 0; index < count; index += 1) this.#leaving.push(leavesAt);
    this.#added += Math.max(0, count);
  }

  #dropExpired(): void {
    const now = this.#now();
    let expired = 0;
    while (expired < this.#leaving.length && (this.#leaving[expired] as number) <= now) expired += 1;
    if (expired > 0) this.#leaving.splice(0, expired);
  }
}
