import { setTimeout as sleep } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { createCopyStore, type CopyStore } from "#domain/directory/copy-store.js";
import type { Directory } from "#domain/directory/directory.js";
import type { DirectoryState } from "#domain/directory/directory-state.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { backoffMs } from "#platform/queue/backoff.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { atMost } from "#platform/memory/at-most.js";
import { DirectoryRenewal, type RenewalPart } from "./directory-renewal.js";
import { RenewalPace } from "./renewal-pace.js";
import { InTurn } from "./in-turn.js";

/** At this age, a directory is renewed the next time its portal has work. */
const MAX_AGE_MS = 10 * 60_000;
/** At this age, it is renewed before anyone is refused because of it. */
const OLD_MS = 60 * 60_000;
/** A failed sync is tried again after growing gaps: it uses the budget that contacts need. */
const RETRY = { baseMs: 5_000, capMs: 10 * 60_000 };
/** A request this far in the future is not ours: a clock was ahead: the longest gap, and a margin. */
const FARTHEST_REQUEST_MS = 2 * RETRY.capMs;
/** How many portals' failed syncs are counted; for a forgotten one the gaps start again at the shortest. */
const MAX_FAILING = 5_000;
/** How many renewals are kept for their portal's next turn; a forgotten one starts again. */
const MAX_UNDER_WAY = 1_000;
/** Shares of the window: pages read at once, enough for most accounts, and then per window. */
const SHARE = { atOnce: 0.2, perWindow: 0.1 };

/**
 * What a portal's directory needs. `first`: there is none yet. `old`: nobody may be refused because of it. `fresh`: a
 * renewal was requested, or the copy is a little old. `users`: the user list alone was requested. `none`: nothing, or
 * not yet, because the last attempt failed.
 */
export type DirectoryNeed = "first" | "old" | "fresh" | "users" | "none";

/**
 * @param state undefined if the account is gone.
 * @param isAtWork whether the portal has contacts to enroll: an idle one needs only the list of its admins.
 */
export async function directoryNeed(
  state: DirectoryState | undefined,
  isAtWork: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<DirectoryNeed> {
  if (state === undefined) return "none";
  const need = wholeNeed(state);
  if (!needsUsers(state)) return need;
  const isOnlyOld = need !== "first" && !isAsked(state);
  return need === "none" || (isOnlyOld && !(await isAtWork())) ? "users" : need;
}

/** After a failed attempt, the next one is requested for a later time. */
function isPutOff(requestedAt: Date | null, now: Date): boolean {
  const untilRequestMs = requestedAt === null ? 0 : requestedAt.getTime() - now.getTime();
  return untilRequestMs > 0 && untilRequestMs <= FARTHEST_REQUEST_MS;
}

function isAsked({ requestedAt, syncedAt }: DirectoryState): boolean {
  return requestedAt !== null && syncedAt !== null && requestedAt > syncedAt;
}

function wholeNeed(state: DirectoryState): Exclude<DirectoryNeed, "users"> {
  const { requestedAt, syncedAt, now } = state;
  if (isPutOff(requestedAt, now)) return "none";
  if (syncedAt === null) return "first";
  const ageMs = now.getTime() - syncedAt.getTime();
  if (ageMs > OLD_MS) return "old";
  // Made in the future: a clock was ahead then, and the copy's age is unknown.
  return isAsked(state) || ageMs > MAX_AGE_MS || ageMs < 0 ? "fresh" : "none";
}

function needsUsers({ usersRequestedAt, usersReadAt, now }: DirectoryState): boolean {
  if (usersRequestedAt === null || isPutOff(usersRequestedAt, now)) return false;
  return usersReadAt === null || usersRequestedAt > usersReadAt;
}

interface UnderWay {
  readonly renewal: DirectoryRenewal;
  readonly pace: RenewalPace;
}

/** A portal, held by its owner for one turn. */
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
  /** Bounds each list; by default as in production. */
  readonly maxPages?: number | undefined;
}

/** Keeps the copies of this process's portals current: renewals continue from turn to turn. */
export class DirectoryKeeper {
  readonly #options: DirectoryKeeperOptions;
  readonly #underWay = new LRUCache<PortalId, UnderWay>({ max: MAX_UNDER_WAY });
  readonly #failures = {
    whole: new LRUCache<PortalId, number>(atMost(MAX_FAILING)),
    users: new LRUCache<PortalId, number>(atMost(MAX_FAILING)),
  };
  readonly #inTurn = new InTurn();

  constructor(options: DirectoryKeeperOptions) {
    this.#options = options;
  }

  /**
   * Continues the portal's renewal, or begins one, until the copy is current or the turn ends. Never fails: problems
   * are logged, and the copy we have stays in use.
   */
  keep(portal: KeptPortal): Promise<void> {
    const { portalId } = portal.owner;
    if (portal.need === "none") {
      this.#underWay.delete(portalId);
      return Promise.resolve();
    }
    // The page that the last turn was reading may still be in flight.
    return this.#inTurn.run(portalId, () => this.#renew(portal));
  }

  async #renew(portal: KeptPortal): Promise<void> {
    const { portalId } = portal.owner;
    const { directory, logger } = this.#options;
    const copy = createCopyStore(portal.owner, directory);
    try {
      let { need } = portal;
      // Again if a copy was requested while this one was made: it may lack what was requested.
      while (need !== "none" && portal.mayGoOn()) {
        if (!(await this.#copyOnce({ ...portal, need }, copy))) return;
        if (need === "users") return;
        need = await directoryNeed(await directory.state(portalId));
      }
    } catch (error) {
      // The page is read again by the portal's next owner.
      if (error instanceof LeaseLost) return;
      logger.warn({ err: error, portalId }, "the directory could not be synced");
      const part = this.#underWay.get(portalId)?.renewal.part ?? "whole";
      this.#underWay.delete(portalId);
      await this.#postpone(portalId, part, copy);
    }
  }

  /** @returns false if it has to continue in a later turn. */
  async #copyOnce(portal: KeptPortal, copy: CopyStore): Promise<boolean> {
    const { gateway, owner, mayGoOn } = portal;
    const isFirst = portal.need === "first";
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
      this.#options.logger.warn({ portalId, leftOut }, "records in HubSpot's lists could not be read");
    }
    this.#underWay.delete(owner.portalId);
    if (isComplete) this.#failures[renewal.part].delete(owner.portalId);
    else await this.#postpone(owner.portalId, renewal.part, copy);
    return true;
  }

  async #begun({ owner: { portalId }, budget, need }: KeptPortal): Promise<UnderWay | undefined> {
    const known = this.#underWay.get(portalId);
    if (known !== undefined) return known;
    const { directory, maxPages } = this.#options;
    const state = await directory.state(portalId);
    if (state === undefined) return undefined;
    const renewal = new DirectoryRenewal(state, {
      part: need === "users" ? "users" : "whole",
      ...(maxPages === undefined ? {} : { maxPages }),
    });
    const begun = { renewal, pace: new RenewalPace(budget, SHARE) };
    this.#underWay.set(portalId, begun);
    return begun;
  }

  async #postpone(portalId: PortalId, part: RenewalPart, copy: CopyStore): Promise<void> {
    const failures = (this.#failures[part].get(portalId) ?? 0) + 1;
    this.#failures[part].set(portalId, failures);
    const delayMs = backoffMs(failures, RETRY);
    await (part === "users" ? copy.postponeUsers(delayMs) : copy.postponeSync(delayMs)).catch(
      () => undefined,
    );
  }
}
