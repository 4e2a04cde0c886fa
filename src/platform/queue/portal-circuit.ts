import type { Pool } from "pg";
import { backoffMs } from "./backoff.js";
import { LEASE_CTE, type PortalLease } from "./portal-lease.js";
import { cutText } from "#platform/text/storable-text.js";

export interface PortalCircuitOptions {
  pool: Pool;
  lease: PortalLease;
  onFault: (fault: unknown) => void;
}

/** Consecutive failures, with no answer in between, that open the circuit. One lost request in many never does. */
const FAILURES_TO_OPEN = 5;
/** A timeout is many seconds of silence, and costs others more than a refusal that comes at once: two open the circuit. */
const FAILURES_IN_A_TIMEOUT = 3;
const OPEN = { baseMs: 5_000, capMs: 5 * 60_000 };
/** A known wait longer than this is a state of the account or the app (region move, daily limit, credentials), not a hiccup. */
export const LONG_WAIT_MS = 30_000;
/** Details of a failure besides its reason. */
interface Failure {
  /** The wait HubSpot asked for, or the expected duration, if known. */
  readonly retryAfterMs?: number | undefined;
  readonly isTimeout?: boolean;
  /** The code of our own fault, which waiting does not fix. */
  readonly ownCause?: string | undefined;
}
/** Upper limit of a wait: it may be over sooner, and one request shows. */
const PROBE_EVERY_MS = 15 * 60_000;

/**
 * Pauses a portal whose calls keep failing: CLOSED → (consecutive failures, or a long wait) → OPEN → (time is over) →
 * PROBING, one request at a time → (an answer) → CLOSED, or (a failure) → OPEN for longer.
 *
 * Stored with the portal, so that it outlives the owner and the settings page can show it.
 */
export class PortalCircuit {
  readonly #options: PortalCircuitOptions;
  #openUntilMs: number;
  #trips: number;
  #isLongWait = false;
  #failuresInARow = 0;
  #saving: Promise<void> = Promise.resolve();
  #isLost = false;

  constructor(options: PortalCircuitOptions) {
    this.#options = options;
    this.#openUntilMs = performance.now() + options.lease.circuit.openForMs;
    this.#trips = options.lease.circuit.trips;
  }

  get isOpen(): boolean {
    return performance.now() < this.#openUntilMs;
  }

  /** After an outage, until the first answer: send one request at a time. */
  get isProbing(): boolean {
    return this.#trips > 0;
  }

  /** How often it opened without an answer in between. */
  get trips(): number {
    return this.#trips;
  }

  /** Whether the portal has a new owner, as storing showed: this one must not send anymore. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * HubSpot answered, even if with a refusal. During a long wait this changes nothing: the request was under way before
   * HubSpot named the wait.
   */
  succeeded(): void {
    this.#failuresInARow = 0;
    if (this.#trips === 0 || (this.#isLongWait && this.isOpen)) return;
    this.#trips = 0;
    this.#openUntilMs = 0;
    this.#save(0, null);
  }

  /** HubSpot did not answer, or had an outage; or our own fault keeps us from asking. */
  failed(reason: string, { retryAfterMs, isTimeout, ownCause }: Failure = {}): void {
    this.#failuresInARow += isTimeout === true ? FAILURES_IN_A_TIMEOUT : 1;
    const isLongWait = retryAfterMs !== undefined && retryAfterMs > LONG_WAIT_MS;
    if (this.isOpen || (!isLongWait && !this.isProbing && this.#failuresInARow < FAILURES_TO_OPEN)) return;
    this.#trips += 1;
    this.#isLongWait = isLongWait;
    const openMs = isLongWait ? Math.min(PROBE_EVERY_MS, retryAfterMs) : backoffMs(this.#trips, OPEN);
    this.#openUntilMs = performance.now() + openMs;
    this.#save(openMs, reason, ownCause);
  }

  /** Resolves once what was decided is stored, or could not be. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #save(openMs: number, reason: string | null, ownCause?: string): void {
    const { pool, lease, onFault } = this.#options;
    const values = [
      lease.portalId,
      lease.epoch,
      openMs,
      reason === null ? null : cutText(reason, 500),
      this.#trips,
      ownCause ?? null,
    ];
    this.#saving = this.#saving
      .then(() => pool.query({ name: "save-circuit", text: SAVE, values }))
      .then(({ rowCount }) => {
        this.#isLost ||= rowCount === 0;
      })
      .catch(onFault);
  }
}

const SAVE = `
  WITH ${LEASE_CTE}
  UPDATE portal_drains AS drain
     SET circuit_open_until = CASE WHEN $5::int > 0 THEN now() + $3::float8 * interval '1 millisecond' END,
         circuit_opened_at = CASE WHEN $5::int = 0 THEN NULL ELSE coalesce(drain.circuit_opened_at, now()) END,
         circuit_reason = $4::text, circuit_cause = $6::text,
         circuit_trips = $5::int,
         resumed_at = CASE WHEN $5::int = 0 THEN now() ELSE drain.resumed_at END
    FROM lease WHERE drain.portal_id = lease.portal_id`;
