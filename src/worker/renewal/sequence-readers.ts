import type { CopyStore } from "#domain/directory/copy-store.js";
import type { ReaderReport, ReaderResult } from "#domain/directory/report.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { assertOurs, savePage, type CopiedList, type ListReader } from "./copied-list.js";

/**
 * Sequences are read as more and more people until this many pages have been read: two people's lists are mostly the
 * same.
 */
const ENOUGH_PAGES = 20;

/** HubSpot shows sequences as one user sees them: the users as whom they are read, and the results. */
export class SequenceReaders {
  readonly #readers: readonly ListReader[];
  #pagesRead = 0;

  constructor(userIds: readonly UserId[]) {
    this.#readers = userIds.map((userId) => ({ userId, result: "spared", ids: new Set() }));
  }

  /**
   * The sequences as each of them sees them. `hasBegun` says whether the list being read has a page already: a list is
   * read to its end once begun.
   */
  lists(hasBegun: () => boolean): CopiedList[] {
    return this.#readers.map((reader) => ({
      name: "Sequences",
      reader,
      copyPage: async ({ gateway, copy }, after) => {
        this.#pagesRead += 1;
        return savePage(await gateway.listSequences({ userId: reader.userId, after }), copy.sequences);
      },
      // In an outage the next one would fail too.
      isSkipped: () => !hasBegun() && (this.#pagesRead >= ENOUGH_PAGES || this.has("failed")),
    }));
  }

  /** Whether one of them ended like this. */
  has(...results: readonly ReaderResult[]): boolean {
    return this.#readers.some(({ result }) => results.includes(result));
  }

  /** A sequence that no reader saw is gone, unless one of them could have seen more. */
  async retireOthers(copy: CopyStore, since: Date): Promise<void> {
    if (!this.has("read") || this.has("cut", "failed")) return;
    const ids = new Set(this.#readers.flatMap((reader) => [...reader.ids]));
    assertOurs(await copy.sequences.retireOthers([...ids], since));
  }

  reports(): ReaderReport[] {
    return this.#readers.map(({ userId, result, problem, ids }) => ({
      userId: String(userId),
      result,
      problem,
      sequences: ids.size,
    }));
  }
}
