import { z } from "zod";
import type { ImportKey } from "#domain/imports/advance-import.js";
import {
  CLOSE_COLUMNS,
  countSubscriptions,
  NO_FACTS,
  type CloseFacts,
} from "#domain/imports/close-choices.js";
import { guessChoices, readCloseKey } from "#domain/imports/create-close-import.js";
import type { Import } from "#domain/imports/import.js";
import { appendRows, failReading, type ReadPart } from "#domain/imports/read-source.js";
import type { SourceProblem } from "#domain/imports/source-problems.js";
import type { CloseClient, CloseSubscription } from "#platform/close/close-client.js";
import { CloseRefused, CloseUnavailable } from "#platform/close/errors.js";
import { cutText } from "#platform/text/storable-text.js";
import type { ImportTools } from "./import-tools.js";

/** The maximum number that a page can offer as a choice. */
const MOST_SEQUENCES = 500;
/** A key is kept no longer than this for a Close that does not answer. */
const PATIENCE_MS = 24 * 3_600_000;
/** The pause without an answer, if Close does not say when to ask again. */
const ASK_AGAIN_MS = 5_000;

/** Where the reading continues: in the list of sequences, then in the subscriptions of each. */
const place = z.union([
  z.object({ of: z.literal("sequences"), skip: z.number() }),
  z.object({ of: z.literal("subscriptions"), index: z.number(), skip: z.number() }),
]);
type Place = z.output<typeof place>;
const BEGINNING: Place = { of: "sequences", skip: 0 };

/** What to do next, and after what pause. */
export interface ReadOn {
  readonly hasMore: boolean;
  readonly waitMs: number;
}

const ENDED: ReadOn = { hasMore: false, waitMs: 0 };

/** Reads the next page of an organization in Close, at the pace Close allows. */
export async function readClosePage(
  { pool, cipher, closeOf }: Pick<ImportTools, "pool" | "cipher" | "closeOf">,
  key: ImportKey,
  found: Import,
): Promise<ReadOn> {
  const end = async (problem: SourceProblem): Promise<ReadOn> => {
    await failReading(pool, key, problem);
    return ENDED;
  };
  const apiKey = await readCloseKey({ pool, cipher }, key);
  if (apiKey === undefined) return end("CLOSE_KEY_REFUSED");
  try {
    const { part, waitMs } = await readPart(closeOf(apiKey), found);
    if ((part.facts?.sequences.length ?? 0) > MOST_SEQUENCES) return await end("CLOSE_TOO_LARGE");
    const isLast = part.to === undefined;
    const choices = isLast ? await guessChoices(pool, key.portalId, part.facts ?? NO_FACTS) : undefined;
    const stored = await appendRows(pool, key, { ...part, ...(choices && { choices }) });
    if (stored === "too-many") return await end("TOO_MANY_ROWS");
    return { hasMore: stored && !isLast, waitMs };
  } catch (error) {
    if (error instanceof CloseRefused)
      return end([401, 403].includes(error.httpStatus) ? "CLOSE_KEY_REFUSED" : "CLOSE_REFUSED");
    if (!(error instanceof CloseUnavailable)) throw error;
    if (Date.now() - found.createdAt.getTime() > PATIENCE_MS) return end("CLOSE_UNAVAILABLE");
    return { hasMore: false, waitMs: error.retryAfterMs ?? ASK_AGAIN_MS };
  }
}

async function readPart(close: CloseClient, found: Import): Promise<{ part: ReadPart; waitMs: number }> {
  const at = found.sourceAt === null ? BEGINNING : place.parse(found.sourceAt);
  const facts = found.closeFacts ?? NO_FACTS;
  const from = found.sourceAt ?? undefined;
  if (at.of === "sequences") {
    const page = await close.listSequences(at.skip);
    const listed = page.results.map(({ id, name }) => ({ id, name: clean(name), count: 0 }));
    const sequences = [...facts.sequences, ...listed];
    const next: Place = page.hasMore
      ? { of: "sequences", skip: at.skip + page.count }
      : { of: "subscriptions", index: 0, skip: 0 };
    const to = !page.hasMore && sequences.length === 0 ? undefined : next;
    return { part: { from, to, rows: [], facts: { ...facts, sequences } }, waitMs: page.waitMs };
  }
  return readSubscriptions(close, { at, facts, from });
}

async function readSubscriptions(
  close: CloseClient,
  { at, facts, from }: { at: Extract<Place, { of: "subscriptions" }>; facts: CloseFacts; from: unknown },
): Promise<{ part: ReadPart; waitMs: number }> {
  const sequence = facts.sequences[at.index];
  if (sequence === undefined) return { part: { from, to: undefined, rows: [], facts }, waitMs: 0 };
  const page = await close.listSubscriptions(sequence.id, at.skip);
  const rows = page.results.map((one) => toCells(one, sequence));
  const following: Place | undefined =
    at.index + 1 < facts.sequences.length ? { of: "subscriptions", index: at.index + 1, skip: 0 } : undefined;
  const to = page.hasMore ? { ...at, skip: at.skip + page.count } : following;
  return { part: { from, to, rows, facts: countSubscriptions(facts, rows) }, waitMs: page.waitMs };
}

/** In the order of {@link CLOSE_COLUMNS}. */
function toCells(one: CloseSubscription, sequence: { id: string; name: string }): string[] {
  const { contactEmail, senderEmail, startDate, status } = one;
  const cells: Record<(typeof CLOSE_COLUMNS)[number], string> = {
    Email: clean(contactEmail ?? ""),
    "Close sequence": sequence.name,
    "Close sequence id": sequence.id,
    "Close status": clean(status),
    "Close sender": clean(senderEmail ?? "").toLowerCase(),
    Started: clean(startDate ?? ""),
  };
  return CLOSE_COLUMNS.map((column) => cells[column]);
}

const clean = (text: string): string => cutText(text, text.length).trim();
