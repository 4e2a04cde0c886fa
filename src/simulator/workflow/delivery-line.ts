import type { Delays } from "../world/delays.js";

/** What to do after one delivery: nothing more, or the same again after a gap. */
export type Verdict = "done" | { readonly againAfterMs: number };

interface DeliveryLineOptions<Job> {
  readonly delays: Delays;
  readonly concurrency: number;
  /** New jobs a second; undefined leaves the pace to `concurrency`. */
  readonly ratePerSecond: number | undefined;
  /** The next new job, undefined once there are no more. Called only when there is room, so jobs can be made late. */
  readonly next: () => Job | undefined;
  readonly deliver: (job: Job) => Promise<Verdict>;
  /** No job is under way, waiting or still to come. */
  readonly onIdle: () => void;
}

/** Sends jobs at a pace, a number of them at once, with repeats after a gap that takes no place in the line. */
export class DeliveryLine<Job> {
  readonly #options: DeliveryLineOptions<Job>;
  readonly #again: Job[] = [];
  #underWay = 0;
  #pausing = 0;
  #entered = 0;
  #exhausted = false;
  #startedAtMs = 0;
  #tickPlanned = false;

  constructor(options: DeliveryLineOptions<Job>) {
    this.#options = options;
  }

  start(): void {
    this.#startedAtMs = performance.now();
    this.#pump();
  }

  /** Puts a job in front of the new ones. */
  push(job: Job): void {
    this.#again.push(job);
    this.#pump();
  }

  #pump(): void {
    while (this.#underWay < this.#options.concurrency) {
      const job = this.#again.shift() ?? this.#takeNew();
      if (job === undefined) break;
      void this.#send(job);
    }
    if (this.#exhausted && this.#underWay + this.#pausing + this.#again.length === 0) this.#options.onIdle();
  }

  #takeNew(): Job | undefined {
    if (this.#exhausted) return undefined;
    const waitMs = this.#waitMs();
    if (waitMs > 0) {
      this.#planTick(waitMs);
      return undefined;
    }
    const job = this.#options.next();
    if (job === undefined) this.#exhausted = true;
    else this.#entered += 1;
    return job;
  }

  #waitMs(): number {
    const { ratePerSecond } = this.#options;
    if (ratePerSecond === undefined) return 0;
    return this.#startedAtMs + (this.#entered / ratePerSecond) * 1000 - performance.now();
  }

  #planTick(waitMs: number): void {
    if (this.#tickPlanned) return;
    this.#tickPlanned = true;
    this.#options.delays.schedule(Math.ceil(waitMs), () => {
      this.#tickPlanned = false;
      this.#pump();
    });
  }

  async #send(job: Job): Promise<void> {
    this.#underWay += 1;
    const verdict = await this.#options.deliver(job);
    this.#underWay -= 1;
    if (verdict !== "done") {
      this.#pausing += 1;
      this.#options.delays.schedule(verdict.againAfterMs, () => {
        this.#pausing -= 1;
        this.push(job);
      });
    }
    this.#pump();
  }
}
