import type { CopyStore } from "#domain/directory/copy-store.js";
import type { DirectoryState } from "#domain/directory/directory-state.js";
import { HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { assertOurs, type CopiedList, type CopiedPage, type RenewalHands } from "./copied-list.js";
import { ACCOUNT_LIST, OWNER_LIST, userList, USERS } from "./directory-lists.js";
import { SequenceReaders } from "./sequence-readers.js";

/** Limits an endless list, and the memory for it: 100 entries a page, of which the ids are kept. */
export const MAX_PAGES = 2_000;
/** How often a page is tried before its list is given up: one lost answer must not cost hundreds of pages. */
const PAGE_TRIES = 3;

/** `users`: only the list that says who administers the account. */
export type RenewalPart = "whole" | "users";

/** The result of a list that could not be copied completely. */
interface Trouble {
  readonly list: CopiedList;
  readonly words: string;
  /** To be read again soon. */
  readonly outage?: HubSpotUnavailable;
  /** Some of it was read. */
  readonly isCut?: boolean;
}

/** How far a list has been read. */
interface Progress {
  cursor: string | undefined;
  readonly cursors: Set<string>;
  readonly ids: Set<string>;
  read: number;
  leftOut: number;
  pages: number;
  tries: number;
  isCut: boolean;
}

const beginning = (): Progress => ({
  cursor: undefined,
  cursors: new Set(),
  ids: new Set(),
  read: 0,
  leftOut: 0,
  pages: 0,
  tries: 0,
  isCut: false,
});

const CUT = "HubSpot names a next page in a form that we do not know; what came before was copied.";
const OTHER_SHAPE = "HubSpot's list has another shape than we know.";

/**
 * The making of one copy of a portal's sequences, owners, users and account details, one request per step: it runs
 * alongside its portal's turns, across several of them. Pages are stored as they come. Whatever could be read is kept
 * and counts as a copy; the rest is reported.
 */
export class DirectoryRenewal {
  readonly #startedAt: Date;
  readonly #lists: CopiedList[];
  readonly #maxPages: number;
  /** What it renews. */
  readonly part: RenewalPart;
  readonly #troubles: Trouble[] = [];
  readonly #leftOut: Record<string, number> = {};
  /** The users as whom sequences are read; undefined: not chosen yet. */
  #readers: SequenceReaders | undefined;
  #hasAnswer = false;
  /** The result of the user list; undefined: not read yet, or HubSpot did not answer. */
  #users: "read" | "refused" | undefined;
  #at = 0;
  #progress = beginning();

  constructor(
    { now }: Pick<DirectoryState, "now">,
    { maxPages = MAX_PAGES, part = "whole" }: { maxPages?: number; part?: RenewalPart } = {},
  ) {
    this.part = part;
    this.#startedAt = now;
    if (part === "users") this.#readers = new SequenceReaders([]);
    this.#maxPages = maxPages;
    this.#lists = part === "users" ? [userList()] : [OWNER_LIST, ACCOUNT_LIST, userList()];
  }

  get isRead(): boolean {
    return this.#readers !== undefined && this.#at >= this.#lists.length;
  }

  /**
   * Makes one request. A list that HubSpot cannot provide is recorded, and the next one begins.
   *
   * @throws LeaseLost, and the database's faults: the same page is read again by the next step.
   */
  async step(hands: RenewalHands): Promise<void> {
    // Last, because the other lists show as whom it can be read.
    if (this.#at >= this.#lists.length && this.#readers === undefined) await this.#addReaders(hands.copy);
    while (this.#lists[this.#at]?.isSkipped?.() === true) this.#nextList();
    const list = this.#lists[this.#at];
    if (list === undefined) return;
    const progress = this.#progress;
    let page: CopiedPage;
    try {
      page = await list.copyPage(hands, progress.cursor);
    } catch (error) {
      this.#afterFault(list, error);
      return;
    }
    this.#hasAnswer = true;
    page.ids.forEach((id) => (list.reader?.ids ?? progress.ids).add(id));
    progress.pages += 1;
    progress.tries = 0;
    progress.read += page.read;
    progress.leftOut += page.leftOut;
    progress.isCut ||= page.isCut;
    if (page.next === undefined && progress.isCut) {
      this.#giveUp({ list, words: CUT, isCut: true });
    } else if (page.next === undefined) {
      await this.#endList(list, hands.copy);
    } else if (progress.cursors.has(page.next)) {
      this.#giveUp({
        list,
        words: "HubSpot's list repeats itself; what came before was copied.",
        isCut: true,
      });
    } else if (progress.pages >= this.#maxPages) {
      const words = `Only the first ${this.#maxPages * 100} entries were copied.`;
      this.#giveUp({ list, words, isCut: true });
    } else {
      progress.cursors.add(page.next);
      progress.cursor = page.next;
    }
  }

  /**
   * Records that the copy was made.
   *
   * @returns whether all of it could be read, or HubSpot refused it; otherwise it is worth trying again soon.
   *   `leftOut`: how many records of a list had a shape we do not know, by the list's name; lists without any are not
   *   in it.
   * @throws HubSpotUnavailable if nothing at all could be read; LeaseLost.
   */
  async finish(copy: CopyStore): Promise<{ isComplete: boolean; leftOut: Record<string, number> }> {
    const outages = this.#troubles.flatMap(({ outage }) => outage ?? []);
    const [first] = outages;
    if (first !== undefined && !this.#hasAnswer) throw first;
    if (this.#users === "read") assertOurs(await copy.markUsersRead(this.#startedAt));
    if (this.#users === "refused") assertOurs(await copy.markUsersRefused());
    const isComplete = outages.length === 0;
    if (this.part === "users") return { isComplete, leftOut: this.#leftOut };
    await this.#readers?.retireOthers(copy, this.#startedAt);
    const told = this.#troubles.filter((trouble) => this.#isTold(trouble));
    const problem = [...new Set(told.map(({ list, words }) => `${list.name}: ${words}`))].join(" ");
    const report = { readers: this.#readers?.reports() ?? [], leftOut: this.#leftOut };
    assertOurs(await copy.markSynced(this.#startedAt, { problem: problem === "" ? null : problem, report }));
    return { isComplete, leftOut: this.#leftOut };
  }

  /** A refused reader is no problem if another is not refused. */
  #isTold({ list, outage }: Trouble): boolean {
    if (list.reader?.result === "refused") return this.#readers?.has("read") !== true;
    return list.isOptional !== true || outage === undefined;
  }

  async #addReaders(copy: CopyStore): Promise<void> {
    this.#readers = new SequenceReaders(await copy.sequenceReaders());
    this.#lists.push(...this.#readers.lists(() => this.#progress.pages > 0));
  }

  /** All pages were read. If none of the records was readable, HubSpot's format has changed, and what we had stays. */
  async #endList(list: CopiedList, copy: CopyStore): Promise<void> {
    const { ids, read, leftOut } = this.#progress;
    if (leftOut > 0) this.#leftOut[list.name] = Math.max(leftOut, this.#leftOut[list.name] ?? 0);
    if (leftOut > 0 && read === 0) {
      this.#giveUp({ list, words: OTHER_SHAPE, outage: new HubSpotUnavailable(OTHER_SHAPE) });
      return;
    }
    const doubt = list.whyNotBelieved?.();
    if (doubt !== undefined) return this.#giveUp({ list, words: doubt });
    assertOurs((await list.retireOthers?.(copy, [...ids], this.#startedAt)) ?? true);
    if (list.name === USERS) this.#users = "read";
    if (list.reader !== undefined) list.reader.result = "read";
    this.#nextList();
  }

  #nextList(): void {
    this.#at += 1;
    this.#progress = beginning();
  }

  /** An answer that we cannot use counts as a refusal; no answer means nothing. */
  #giveUp(trouble: Trouble): void {
    if (trouble.list.name === USERS && (trouble.outage === undefined || trouble.words === OTHER_SHAPE))
      this.#users = "refused";
    const { reader } = trouble.list;
    if (reader !== undefined) {
      reader.result = trouble.outage !== undefined ? "failed" : trouble.isCut === true ? "cut" : "refused";
      reader.problem = trouble.words;
    }
    this.#troubles.push(trouble);
    this.#nextList();
  }

  #afterFault(list: CopiedList, fault: unknown): void {
    if (fault instanceof HubSpotRejected) {
      this.#hasAnswer = true;
      if (list.isOptional === true) {
        if (list.name === USERS) this.#users = "refused";
        this.#nextList();
      } else this.#giveUp({ list, words: fault.hubspotMessage });
      return;
    }
    if (!(fault instanceof HubSpotUnavailable)) throw fault;
    this.#progress.tries += 1;
    if (this.#progress.pages > 0 && this.#progress.tries < PAGE_TRIES) return;
    this.#giveUp({ list, words: fault.message, outage: fault });
  }
}
