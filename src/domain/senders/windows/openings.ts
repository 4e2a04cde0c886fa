import { LRUCache } from "lru-cache";
import { atMost } from "#platform/memory/at-most.js";
import { SendTimes, type SendSchedule, type Stretch } from "./send-window.js";

/** Schedules kept by one process. A team mostly shares one. */
const MAX_SCHEDULES = 5_000;
/** More than the days of the longest hold, two spans each; what is forgotten is computed again. */
const MAX_STRETCHES = 1_000;

/** One schedule's answers, each kept for as long as it holds. */
class KnownTimes {
  readonly #times: SendTimes;
  /** Earliest first. */
  #stretches: Stretch[] = [];
  #latest: Stretch | undefined;

  constructor(schedule: SendSchedule) {
    this.#times = new SendTimes(schedule);
  }

  stretchAt(instantMs: number): Stretch {
    const latest = this.#latest;
    if (latest !== undefined && latest.fromMs <= instantMs && instantMs < latest.untilMs) return latest;
    const index = this.#lastBegunBy(instantMs);
    const known = this.#stretches[index];
    this.#latest = known !== undefined && instantMs < known.untilMs ? known : this.#workOut(instantMs, index);
    return this.#latest;
  }

  #workOut(instantMs: number, behind: number): Stretch {
    const stretch = this.#times.stretchAt(instantMs);
    if (this.#stretches.length >= MAX_STRETCHES) this.#stretches = [stretch];
    else this.#stretches.splice(behind + 1, 0, stretch);
    return stretch;
  }

  /** Position of the last span that begins at or before the instant; -1 if none does. */
  #lastBegunBy(instantMs: number): number {
    let [low, high] = [0, this.#stretches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#stretches[middle] as Stretch).fromMs <= instantMs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/**
 * When senders' windows open, kept by schedule: the question comes for every member of a rotation and every contact,
 * and the answer changes a few times a day. It depends only on the schedule, so all accounts of a process share one
 * cache.
 */
export class Openings {
  readonly #bySchedule = new LRUCache<string, KnownTimes>(atMost(MAX_SCHEDULES));
  /** Keyed by the object itself: building a key from a schedule takes longer than computing its answer. */
  readonly #byObject = new WeakMap<SendSchedule, KnownTimes>();

  /** When the schedule is open next: `at` itself if it is open then, undefined if it does not open within 400 days. */
  opensAt(schedule: SendSchedule, at: Date): Date | undefined {
    if (schedule.window === undefined && schedule.away.length === 0) return at;
    const { opens } = this.#timesOf(schedule).stretchAt(at.getTime());
    if (opens === "now") return at;
    return opens === "never" ? undefined : new Date(opens);
  }

  #timesOf(schedule: SendSchedule): KnownTimes {
    const known = this.#byObject.get(schedule);
    if (known !== undefined) return known;
    const name = JSON.stringify([schedule.window, schedule.away, schedule.timeZone]);
    const times = this.#bySchedule.get(name) ?? new KnownTimes(schedule);
    this.#bySchedule.set(name, times);
    this.#byObject.set(schedule, times);
    return times;
  }
}
