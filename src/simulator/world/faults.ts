import type { Random } from "./random.js";

/** Families of endpoints that can be made to fail separately. */
export const ENDPOINTS = [
  "token",
  "enroll",
  "enrollment-lookup",
  "sequences",
  "callbacks",
  "owners",
  "users",
  "contacts",
  "preferences",
  "flows",
  "lists",
  "workflow-enrollments",
  "properties",
  "account",
  "uninstall",
] as const;

export type Endpoint = (typeof ENDPOINTS)[number];

/**
 * What may go wrong. "Before" leaves the world untouched; "after" does the work and loses the answer, which the caller
 * cannot tell apart.
 *
 * | fault | the work is done | the caller sees |
 * | --- | --- | --- |
 * | errorBefore, errorAfter | no, yes | a 5xx |
 * | edgePage | no | a 403 page of what stands in front of HubSpot, which knows nothing of the request |
 * | resetBefore, resetAfter | no, yes | the connection is cut |
 * | hangBefore, hangAfter | no, yes | nothing, on a connection that stays open |
 * | halfOpenBefore, halfOpenAfter | no, yes | the headers and part of a body, then nothing; the connection stays open |
 * | trickle | yes | the headers, then a byte of the body a second: no pause between bytes is ever long |
 * | redirectAfter | yes | a 307 to the same address: a client that follows it sends the request twice |
 * | slowAnswer | at once | the answer, late |
 * | slowWork | late, even if the caller has gone by then | the answer, late |
 * | throttled, throttledRetryAfter | no | 429 although the budget was kept, without and with `Retry-After` |
 * | locked | no | 423 |
 * | migrating | no | 477 with `Retry-After` in seconds |
 */
export const FAULTS = [
  "errorBefore",
  "errorAfter",
  "edgePage",
  "resetBefore",
  "resetAfter",
  "hangBefore",
  "hangAfter",
  "halfOpenBefore",
  "halfOpenAfter",
  "trickle",
  "redirectAfter",
  "slowAnswer",
  "slowWork",
  "throttled",
  "throttledRetryAfter",
  "locked",
  "migrating",
] as const;

export type FaultName = (typeof FAULTS)[number];

/** Done by HubSpot, and its caller may never read the answer. */
export const LOST_ANSWERS: ReadonlySet<string> = new Set<FaultName>([
  "errorAfter",
  "resetAfter",
  "hangAfter",
  "halfOpenAfter",
  "trickle",
]);

export type FaultRates = Partial<Record<FaultName, number>>;

/** Probabilities by endpoint family; "all" applies where the family has no entry of its own. */
export type FaultPlan = Partial<Record<Endpoint | "all", FaultRates>> & {
  /** Range of the two slow faults. Default 500 to 3000 ms. */
  readonly slowMs?: readonly [number, number];
};

/** A requested fault: the next `times` matching requests get it, before chance decides. */
export interface ScriptedFault {
  readonly endpoint: Endpoint;
  readonly fault: FaultName;
  readonly times?: number;
  readonly portalId?: number;
  /** For the two error faults: 500, 502, 503, 504, 521, 523 or 524, drawn at random otherwise. For `edgePage`: 403. */
  readonly status?: number;
  /** For the two slow faults; also the `Retry-After` of `migrating`, and the pause between two bytes of `trickle`. */
  readonly ms?: number;
}

/** One fault as it will be carried out. */
export interface DrawnFault {
  readonly name: FaultName;
  readonly status: number;
  readonly ms: number;
  /** Pause between two bytes of `trickle`. */
  readonly byteMs: number;
}

const BYTE_MS = 1_000;
const SERVER_ERRORS = [500, 502, 503, 504, 521, 523, 524] as const;

export class Faults {
  readonly #random: Random;
  #plan: FaultPlan;
  #scripted: { fault: ScriptedFault; left: number }[] = [];
  readonly #counts = new Map<string, number>();

  constructor(random: Random, plan: FaultPlan = {}) {
    this.#random = random;
    this.#plan = plan;
  }

  setPlan(plan: FaultPlan): void {
    this.#plan = plan;
  }

  script(fault: ScriptedFault): void {
    this.#scripted.push({ fault, left: fault.times ?? 1 });
  }

  /** How often each fault struck, by `endpoint/fault`. */
  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  /** The fault of one request; undefined for none. */
  draw(endpoint: Endpoint, portalId: number | undefined): DrawnFault | undefined {
    const fault = this.#fromScript(endpoint, portalId) ?? this.#byChance(endpoint);
    if (fault !== undefined) {
      const key = `${endpoint}/${fault.name}`;
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
    return fault;
  }

  #fromScript(endpoint: Endpoint, portalId: number | undefined): DrawnFault | undefined {
    const entry = this.#scripted.find(
      ({ fault }) =>
        fault.endpoint === endpoint && (fault.portalId === undefined || fault.portalId === portalId),
    );
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#scripted = this.#scripted.filter((other) => other !== entry);
    return this.#detail(entry.fault.fault, entry.fault);
  }

  #byChance(endpoint: Endpoint): DrawnFault | undefined {
    const rates = this.#plan[endpoint] ?? this.#plan.all;
    if (rates === undefined) return undefined;
    const name = FAULTS.find((candidate) => this.#random.chance(rates[candidate] ?? 0));
    return name && this.#detail(name, {});
  }

  #detail(name: FaultName, wish: { status?: number; ms?: number }): DrawnFault {
    const [low, high] = this.#plan.slowMs ?? [500, 3000];
    return {
      name,
      status: wish.status ?? (name === "edgePage" ? 403 : this.#random.pick(SERVER_ERRORS)),
      ms: wish.ms ?? Math.round(this.#random.between(low, high)),
      byteMs: wish.ms ?? BYTE_MS,
    };
  }
}
