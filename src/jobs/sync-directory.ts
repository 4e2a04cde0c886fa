import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { createCopyStore, type CopyStore } from "../directory/copy-store.js";
import type { Directory } from "../directory/directory.js";
import type { Ownership } from "../executions/claim.js";
import type { PortalGateway } from "../hubspot/gateway.js";
import type { RequestBudget } from "../hubspot/request-budget.js";
import type { Logger } from "../observability/logger.js";
import { backoffMs } from "../queue/backoff.js";
import { LeaseLost } from "../queue/portal-lease.js";
import { DirectoryRenewal } from "./directory-renewal.js";

/** A directory this old is renewed the next time its portal has work. */
const MAX_AGE_MS = 10 * 60_000;
/** One this old is renewed before anybody is refused by it. */
const OLD_MS = 60 * 60_000;
/** A sync that failed is tried again after growing gaps: it eats the budget that the contacts need. */
const RETRY = { baseMs: 5_000, capMs: 10 * 60_000 };
/** A request this far ahead is none of ours, but of a clock that was ahead: the longest gap, and a margin. */
const FARTHEST_REQUEST_MS = 2 * RETRY.capMs;
/** Portals whose failed syncs are counted; of those forgotten the gaps begin again at the shortest. */
const MAX_FAILING = 5_000;
/** Renewals that wait for their portal's next turn; one that is forgotten begins again. */
const MAX_UNDER_WAY = 1_000;
/** Shares of the window: pages read at once, enough for most accounts, and from then on in each window. */
const SHARE = { atOnce: 0.2, perWindow: 0.1 };

/**
 * What a portal's directory needs. `first`: there is none yet. `old`: nobody is to be refused by what we have. `fresh`: one
 * was asked for, or it is a little old. `none`: nothing, or not yet, because the last attempt failed.
 */
export type DirectoryNeed = "first" | "old" | "fresh" | "none";

export async function directoryNeed(
  directory: Pick<Directory, "state">,
  portalId: bigint,
): Promise<DirectoryNeed> {
  const state = await directory.state(portalId);
  if (state === undefined) return "none";
  const { requestedAt, syncedAt, now } = state;
  const untilRequestMs = requestedAt === null ? 0 : requestedAt.getTime() - now.getTime();
  // After a failed sync the next one is asked for at a later instant.
  if (untilRequestMs > 0 && untilRequestMs <= FARTHEST_REQUEST_MS) return "none";
  if (syncedAt === null) return "first";
  const ageMs = now.getTime() - syncedAt.getTime();
  if (ageMs > OLD_MS) return "old";
  const isAsked = requestedAt !== null && requestedAt > syncedAt;
  // Made later than now: the clock was ahead then, and how old it is nobody knows.
  return isAsked || ageMs > MAX_AGE_MS || ageMs < 0 ? "fresh" : "none";
}

/** Lets a renewal take no more than its share of the portal's requests; a first copy takes what it can get. */
class RenewalPace {
  readonly #perMs: number;
  readonly #most: number;
  #tokens: number;
  #countedAtMs = performance.now();

  constructor({ limit, windowMs }: Pick<RequestBudget, "limit" | "windowMs">) {
    this.#most = Math.max(10, limit * SHARE.atOnce);
    this.#perMs = Math.max(1, limit * SHARE.perWindow) / windowMs;
    this.#tokens = this.#most;
  }

  /** Takes one request's place, and tells how long to wait before it. */
  take(): number {
    const now = performance.now();
    this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#countedAtMs) * this.#perMs) - 1;
    this.#countedAtMs = now;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
}

interface UnderWay {
  readonly renewal: DirectoryRenewal;
  readonly pace: RenewalPace;
}

/** A portal in the hands of its owner, for one turn. */
export interface KeptPortal {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
  readonly budget: Pick<RequestBudget, "limit" | "windowMs">;
  readonly need: DirectoryNeed;
  /** False as soon as no further request may be begun for it. */
  readonly mayGoOn: () => boolean;
}

export interface DirectoryKeeperOptions {
  readonly directory: Directory;
  readonly logger: Logger;
  /** Bounds each list; by default as in life. */
  readonly maxPages?: number | undefined;
}

/** Keeps the copies of the portals that this process drains: renewals go on from turn to turn. */
export class DirectoryKeeper {
  readonly #options: DirectoryKeeperOptions;
  readonly #underWay = new LRUCache<bigint, UnderWay>({ max: MAX_UNDER_WAY });
  readonly #failures = new LRUCache<bigint, number>({ max: MAX_FAILING });
  readonly #running = new Map<bigint, Promise<void>>();

  constructor(options: DirectoryKeeperOptions) {
    this.#options = options;
  }

  /**
   * Goes on with the portal's renewal, or begins one, until the copy is fresh or it may not go on. Never fails: what stops
   * it is logged, and the copy we have serves on.
   */
  keep(portal: KeptPortal): Promise<void> {
    const { portalId } = portal.owner;
    if (portal.need === "none") {
      this.#underWay.delete(portalId);
      return Promise.resolve();
    }
    // The page that the last turn was reading when it ended may still be on its way.
    const before = this.#running.get(portalId) ?? Promise.resolve();
    const running = before
      .then(() => this.#renew(portal))
      .finally(() => {
        if (this.#running.get(portalId) === running) this.#running.delete(portalId);
      });
    this.#running.set(portalId, running);
    return running;
  }

  async #renew(portal: KeptPortal): Promise<void> {
    const { portalId } = portal.owner;
    const { directory, logger } = this.#options;
    const copy = createCopyStore(portal.owner, directory);
    try {
      let { need } = portal;
      // Once more if a copy was asked for while this one was made: it may lack what it was asked for.
      while (need !== "none" && portal.mayGoOn()) {
        if (!(await this.#copyOnce(portal, copy, need === "first"))) return;
        need = await directoryNeed(directory, portalId);
      }
    } catch (fault) {
      // The page is read again by the portal's next owner.
      if (fault instanceof LeaseLost) return;
      logger.warn({ fault, portalId }, "the directory could not be synced");
      this.#underWay.delete(portalId);
      await this.#postpone(portalId, copy);
    }
  }

  /** @returns false if it has to go on in a later turn. */
  async #copyOnce(portal: KeptPortal, copy: CopyStore, isFirst: boolean): Promise<boolean> {
    const { gateway, owner, mayGoOn } = portal;
    const underWay = await this.#begun(portal);
    if (underWay === undefined) return false;
    const { renewal, pace } = underWay;
    while (!renewal.isRead) {
      const waitMs = pace.take();
      if (!isFirst && waitMs > 0) await sleep(waitMs, undefined, { ref: false });
      if (!mayGoOn()) return false;
      await renewal.step({ gateway, copy });
    }
    const { isComplete, leftOut } = await renewal.finish(copy);
    if (Object.keys(leftOut).length > 0) {
      const { portalId } = owner;
      this.#options.logger.warn({ portalId, leftOut }, "records of HubSpot's lists could not be read");
    }
    this.#underWay.delete(owner.portalId);
    if (isComplete) this.#failures.delete(owner.portalId);
    else await this.#postpone(owner.portalId, copy);
    return true;
  }

  async #begun({ owner: { portalId }, budget }: KeptPortal): Promise<UnderWay | undefined> {
    const known = this.#underWay.get(portalId);
    if (known !== undefined) return known;
    const { directory, maxPages } = this.#options;
    const state = await directory.state(portalId);
    if (state === undefined) return undefined;
    const renewal = new DirectoryRenewal(state, maxPages === undefined ? {} : { maxPages });
    const begun = { renewal, pace: new RenewalPace(budget) };
    this.#underWay.set(portalId, begun);
    return begun;
  }

  async #postpone(portalId: bigint, copy: CopyStore): Promise<void> {
    const failures = (this.#failures.get(portalId) ?? 0) + 1;
    this.#failures.set(portalId, failures);
    await copy.postponeSync(backoffMs(failures, RETRY)).catch(() => undefined);
  }
}
