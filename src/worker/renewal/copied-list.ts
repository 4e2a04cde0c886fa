import type { CopyStore, ListStore } from "#domain/directory/copy-store.js";
import type { ReaderResult } from "#domain/directory/report.js";
import type { HubSpotPage, PortalGateway } from "#platform/hubspot/gateway.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";

/** The portal's current owner, who does the step. */
export interface RenewalHands {
  readonly gateway: PortalGateway;
  readonly copy: CopyStore;
}

/** One of the lists, page by page. */
export interface CopiedList {
  readonly name: string;
  /** The copy works without this list, and its absence is not reported. */
  readonly isOptional?: boolean;
  /** There is no user as whom to read it: what we had stays. */
  readonly isSkipped?: () => boolean;
  /** All pages were read: why the list is not trusted anyway. */
  readonly whyNotBelieved?: () => string | undefined;
  /** Reads the page at the cursor (undefined: the first), saves it, and returns its ids and the next cursor. */
  readonly copyPage: (hands: RenewalHands, cursor: string | undefined) => Promise<CopiedPage>;
  /** The user as whom it is read; the list is then one part of a list that several users make together. */
  readonly reader?: ListReader;
  /** All pages were read: entries not among them are gone. */
  readonly retireOthers?: (copy: CopyStore, ids: readonly string[], since: Date) => Promise<boolean>;
}

export interface CopiedPage {
  /** The ids of all records that HubSpot lists, also of unreadable ones: what we have of them stays. */
  readonly ids: readonly string[];
  /** How many were read, and how many could not be. */
  readonly read: number;
  readonly leftOut: number;
  readonly next: string | undefined;
  /** There are more pages, but no cursor. */
  readonly isCut: boolean;
}

/** A user as whom sequences are read, and the result. */
export interface ListReader {
  readonly userId: UserId;
  result: ReaderResult;
  problem?: string;
  readonly ids: Set<string>;
}

/** @throws LeaseLost if nothing was written because the portal has another owner. */
export function assertOurs(isOurs: boolean): void {
  if (!isOurs) throw new LeaseLost("the copy of the directory belongs to another owner now");
}

/** Stores a page of a list. */
export async function savePage<Entry extends { id: unknown }>(
  page: HubSpotPage<Entry>,
  store: ListStore<Entry>,
): Promise<CopiedPage> {
  assertOurs(await store.save(page.results));
  const unread = page.leftOut.filter((id) => id !== undefined);
  return {
    ids: [...page.results.map(({ id }) => String(id)), ...unread],
    read: page.results.length,
    leftOut: page.leftOut.length,
    next: page.after,
    isCut: page.isCut === true,
  };
}
