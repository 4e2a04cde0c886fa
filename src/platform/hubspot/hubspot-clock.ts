/** HubSpot's time, learned from its answers. */
export interface HubSpotClock {
  /** HubSpot's time at a moment of this process's monotonic clock (`performance.now()`); undefined if not known yet. */
  at(momentMs?: number): Date | undefined;
}

export interface HubSpotClockOptions {
  /** Monotonic milliseconds; by default `performance.now()`. */
  readonly momentMs?: () => number;
  /** This machine's time in epoch milliseconds; by default `Date.now()`. */
  readonly machineMs?: () => number;
  /** Called with each answer: how far HubSpot's clock is ahead of this machine's (negative: behind), once known. */
  readonly onOffset?: (aheadMs: number) => void;
}

/** An answer's `Date` has whole seconds: on average it is this much earlier than when it was written. */
const HALF_A_SECOND_MS = 500;
/** The clock is the median of this many answers, so that a single wrong or late one changes nothing. */
const ANSWERS_KEPT = 15;
/** With fewer a single wrong one could decide. */
const ANSWERS_NEEDED = 3;

/** A date as HTTP writes it. `Date.parse` accepts almost anything. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** A clock that shows a time outside of these was never set, so it cannot be HubSpot's. */
const PLAUSIBLE = { fromMs: Date.UTC(2025, 0, 1), untilMs: Date.UTC(2100, 0, 1) };

/** The header's time; undefined if it cannot be HubSpot's. */
function readDate(header: string | null): number | undefined {
  const ms = HTTP_DATE.test(header ?? "") ? Date.parse(header ?? "") : Number.NaN;
  return ms >= PLAUSIBLE.fromMs && ms < PLAUSIBLE.untilMs ? ms + HALF_A_SECOND_MS : undefined;
}

/**
 * HubSpot's clock, as one process knows it. It follows the monotonic clock between answers: steps of this machine's
 * clock, or of the database's, do not move it.
 */
export class LearnedHubSpotClock implements HubSpotClock {
  readonly #momentMs: () => number;
  readonly #machineMs: () => number;
  readonly #onOffset: (aheadMs: number) => void;
  /** For each answer: HubSpot's time minus the monotonic clock's. */
  #offsetsMs: number[] = [];
  #isDated = false;
  #medianMs: number | undefined;

  constructor(options: HubSpotClockOptions = {}) {
    this.#momentMs = options.momentMs ?? (() => performance.now());
    this.#machineMs = options.machineMs ?? (() => Date.now());
    this.#onOffset = options.onOffset ?? (() => undefined);
  }

  /**
   * @param date the `Date` header of an answer of HubSpot's own. While none had a usable one, this machine's clock is
   *   used.
   */
  answered(date: string | null): void {
    const hubspotMs = readDate(date);
    if (hubspotMs === undefined && this.#isDated) return;
    // HubSpot's time, for which this machine's clock stood in, is known now.
    if (hubspotMs !== undefined && !this.#isDated) this.#offsetsMs = [];
    this.#isDated ||= hubspotMs !== undefined;
    this.#keep(hubspotMs ?? this.#machineMs());
  }

  #keep(hubspotMs: number): void {
    this.#offsetsMs.push(hubspotMs - this.#momentMs());
    if (this.#offsetsMs.length > ANSWERS_KEPT) this.#offsetsMs.shift();
    if (this.#offsetsMs.length < ANSWERS_NEEDED) return;
    const sorted = this.#offsetsMs.toSorted((one, other) => one - other);
    this.#medianMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
    this.#onOffset(this.#medianMs + this.#momentMs() - this.#machineMs());
  }

  at(momentMs = this.#momentMs()): Date | undefined {
    return this.#medianMs === undefined ? undefined : new Date(this.#medianMs + momentMs);
  }
}

/** A difference this large is logged for the operator: some times that are compared with HubSpot's are ours. */
const TELL_FROM_MS = 2_000;
/** The same difference is logged this often. */
const TELL_EVERY_MS = 3_600_000;

/**
 * Creates the function that reports that this machine's clock and HubSpot's differ: once when it begins, then once an
 * hour.
 *
 * @param tell gets HubSpot's lead in milliseconds.
 */
export function tellOfDifference(tell: (aheadMs: number) => void): (aheadMs: number) => void {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (aheadMs) => {
    if (Math.abs(aheadMs) <= TELL_FROM_MS) {
      toldAtMs = Number.NEGATIVE_INFINITY;
      return;
    }
    if (performance.now() - toldAtMs < TELL_EVERY_MS) return;
    toldAtMs = performance.now();
    tell(aheadMs);
  };
}
