import type { CopyStore, ListStore } from "#domain/directory/copy-store.js";
import type { DirectoryState } from "#domain/directory/directory.js";
import type { ReaderReport, ReaderResult } from "#domain/directory/report.js";
import { HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { HubSpotPage, PortalGateway } from "#platform/hubspot/gateway.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";

/** Limits an endless list, and its memory: 100 entries a page, of which the ids are kept. */
export const MAX_PAGES = 2_000;
/** How often a page is tried before its list is given up: one lost answer must not cost hundreds of pages. */
const PAGE_TRIES = 3;

/** `users`: only the list that says who administers the account. */
export type RenewalPart = "whole" | "users";

/** The portal's current owner, who does the step. */
export interface RenewalHands {
  readonly gateway: PortalGateway;
  readonly copy: CopyStore;
}

/** One of the lists, page by page. */
interface CopiedList {
  readonly name: string;
  /** The copy works without this list, and its absence is not reported. */
  readonly isOptional?: boolean;
  /** There is no user to read it as: what we had stays. */
  readonly isSkipped?: () => boolean;
  /** Reads the page at the cursor (undefined: the first), saves it, and returns its ids and the next cursor. */
  /** All pages were read: why the list is not believed anyway. */
  readonly whyNotBelieved?: () => string | undefined;
  readonly copyPage: (hands: RenewalHands, cursor: string | undefined) => Promise<CopiedPage>;
  /** The user as whom it is read; the list is then one part of a list that several users make together. */
  readonly reader?: Reader;
  /** All pages were read: entries not among them are gone. */
  readonly retireOthers?: (copy: CopyStore, ids: readonly string[], since: Date) => Promise<boolean>;
}

interface CopiedPage {
  /** The ids of all records that HubSpot lists, also of unreadable ones: what we have of them stays. */
  readonly ids: readonly string[];
  /** How many were read, and how many could not be. */
  readonly read: number;
  readonly leftOut: number;
  readonly next: string | undefined;
  /** There are more pages, but no cursor. */
  readonly isCut: boolean;
}

/** The users as whom sequences are read, and their results. */
interface Reader {
  readonly userId: bigint;
  result: ReaderResult;
  problem?: string;
  readonly ids: Set<string>;
}

/** The result of a list that could not be copied completely. */
interface Trouble {
  readonly list: CopiedList;
  readonly words: string;
  /** To be read again soon. */
  readonly outage?: HubSpotUnavailable;
  /** Some of it was read. */
  readonly isCut?: boolean;
}

function assertOurs(isOurs: boolean): void {
  if (!isOurs) throw new LeaseLost("the copy of the directory belongs to another owner now");
}

async function save<Entry extends { id: unknown }>(
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

/** First the archived owners, then the active ones: an owner in both is active by now. */
const ARCHIVED = "archived:";
const ACTIVE = "active:";

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

/** Sequences are read as further people until so many pages were read: two people's lists are mostly the same. */
const ENOUGH_PAGES = 20;

const NOTHING: CopiedPage = { ids: [], read: 0, leftOut: 0, next: undefined, isCut: false };
const USERS = "Users";
const NO_SUPER_ADMIN = "HubSpot's list names no super admin, so it was not believed.";
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
  #readers: Reader[] | undefined;
  #sequencePages = 0;
  #hasAnswer = false;
  #hasSuperAdmin = false;
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
    if (part === "users") this.#readers = [];
    this.#maxPages = maxPages;
    this.#lists = part === "users" ? [this.#userList()] : [...this.#otherLists(), this.#userList()];
  }

  /** settings.users.read is optional: without it the owners serve, and our old copy says who the super admins are. */
  #userList(): CopiedList {
    return {
      name: USERS,
      isOptional: true,
      copyPage: async ({ gateway, copy }, after) => {
        const page = await gateway.listUsers({ after });
        if (page.results.some(({ superAdmin }) => superAdmin)) this.#hasSuperAdmin = true;
        return save(page, copy.users);
      },
      // Every account has a super admin. A list without any is empty or cut off, and would leave the account without an
      // admin.
      whyNotBelieved: () => (this.#hasSuperAdmin ? undefined : NO_SUPER_ADMIN),
      retireOthers: (copy, ids, since) => copy.users.retireOthers(ids, since),
    };
  }

  #otherLists(): CopiedList[] {
    return [
      {
        name: "Owners",
        copyPage: (hands, cursor) => this.#copyOwners(hands, cursor ?? ARCHIVED),
        retireOthers: (copy, ids, since) => copy.owners.retireOthers(ids, since),
      },
      {
        name: "Account",
        copyPage: async ({ gateway, copy }) => {
          assertOurs(await copy.saveAccount(await gateway.readAccount()));
          return NOTHING;
        },
      },
    ];
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
    await this.#retireSequences(copy);
    const told = this.#troubles.filter((trouble) => this.#isTold(trouble));
    const problem = [...new Set(told.map(({ list, words }) => `${list.name}: ${words}`))].join(" ");
    const report = { readers: this.#reports(), leftOut: this.#leftOut };
    assertOurs(await copy.markSynced(this.#startedAt, { problem: problem === "" ? null : problem, report }));
    return { isComplete, leftOut: this.#leftOut };
  }

  /** A refused reader is no problem if another is not refused. */
  #isTold({ list, outage }: Trouble): boolean {
    if (list.reader?.result === "refused") return !this.#hasReader("read");
    return list.isOptional !== true || outage === undefined;
  }

  #hasReader(...results: readonly ReaderResult[]): boolean {
    return this.#readers?.some(({ result }) => results.includes(result)) === true;
  }

  /** A sequence that no reader saw is gone, unless one of them could have seen more. */
  async #retireSequences(copy: CopyStore): Promise<void> {
    if (!this.#hasReader("read") || this.#hasReader("cut", "failed")) return;
    const ids = new Set(this.#readers?.flatMap((reader) => [...reader.ids]));
    assertOurs(await copy.sequences.retireOthers([...ids], this.#startedAt));
  }

  #reports(): ReaderReport[] {
    return (this.#readers ?? []).map(({ userId, result, problem, ids }) => ({
      userId: String(userId),
      result,
      problem,
      sequences: ids.size,
    }));
  }

  async #addReaders(copy: CopyStore): Promise<void> {
    const userIds = await copy.sequenceReaders();
    this.#readers = userIds.map((userId) => ({ userId, result: "spared", ids: new Set() }));
    this.#lists.push(...this.#readers.map((reader) => this.#sequenceList(reader)));
  }

  /** The sequences as one person sees them. */
  #sequenceList(reader: Reader): CopiedList {
    return {
      name: "Sequences",
      reader,
      copyPage: async ({ gateway, copy }, after) => {
        this.#sequencePages += 1;
        return save(await gateway.listSequences({ userId: reader.userId, after }), copy.sequences);
      },
      // A list is read to its end once begun. In an outage the next one would fail too.
      isSkipped: () =>
        this.#progress.pages === 0 && (this.#sequencePages >= ENOUGH_PAGES || this.#hasReader("failed")),
    };
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

  async #copyOwners({ gateway, copy }: RenewalHands, cursor: string): Promise<CopiedPage> {
    const part = cursor.startsWith(ARCHIVED) ? ARCHIVED : ACTIVE;
    const after = cursor.slice(part.length);
    const page = await gateway.listOwners({
      after: after === "" ? undefined : after,
      archived: part === ARCHIVED,
    });
    const saved = await save(page, copy.owners);
    const { next } = saved;
    if (next !== undefined) return { ...saved, next: part + next };
    return { ...saved, next: part === ARCHIVED ? ACTIVE : undefined };
  }
}
