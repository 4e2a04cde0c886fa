import { z } from "zod";
import { CloseRefused, CloseUnavailable } from "./errors.js";
import { waitMsOf } from "./rate-limit.js";

/** Close's maximum of records a page. */
const PAGE_SIZE = 100;
const TIMEOUT_MS = 20_000;
/** A hundred records are some 100 KB. */
const MOST_BYTES = 4 * 1024 * 1024;

/** Timed out, locked, too early: these say nothing about the key. */
const PASSING: ReadonlySet<number> = new Set([408, 423, 425]);

const id = z.string().min(1).max(200);
const word = z.string().max(1_000).nullish().catch(null);

const sequence = z.object({ id, name: z.string().max(2_000) });
/** A subscription in an unknown form cannot be moved: it is left out and counted. */
const subscription = z.object({
  id,
  status: z.string().max(100),
  contact_email: word,
  sender_email: word,
  start_date: word,
});
const page = z.object({ has_more: z.boolean(), data: z.array(z.unknown()).max(1_000) });

export interface CloseSequence {
  readonly id: string;
  readonly name: string;
}

/** A contact that is or was in one of Close's sequences. */
export interface CloseSubscription {
  readonly id: string;
  /** `active`, `paused`, `finished`, `error`, `goal`, or what Close may add. */
  readonly status: string;
  readonly contactEmail: string | null;
  readonly senderEmail: string | null;
  readonly startDate: string | null;
}

/** One page of a list, in Close's order. */
export interface ClosePage<Record> {
  readonly results: readonly Record[];
  /** Records of the page, also those that could not be read: where the next page begins. */
  readonly count: number;
  readonly hasMore: boolean;
  /** How long Close wants to be left alone now, in ms. */
  readonly waitMs: number;
}

/** What we read of an organization in Close. All throw CloseUnavailable and CloseRefused. */
export interface CloseClient {
  readonly listSequences: (skip: number) => Promise<ClosePage<CloseSequence>>;
  readonly listSubscriptions: (sequenceId: string, skip: number) => Promise<ClosePage<CloseSubscription>>;
}

/**
 * A client of Close's API (developer.close.com): the key is the user of basic authentication, its password is empty.
 * The key is only in that header, and in no error.
 *
 * @param baseUrl origin, without a trailing slash
 */
export function createCloseClient(baseUrl: string, apiKey: string): CloseClient {
  const authorization = `Basic ${Buffer.from(`${apiKey}:`).toString("base64")}`;

  async function read<S extends z.ZodType>(
    path: string,
    query: Readonly<Record<string, string>>,
    record: S,
  ): Promise<ClosePage<z.output<S>>> {
    const url = `${baseUrl}${path}?${new URLSearchParams(query).toString()}`;
    const response = await ask(url, authorization);
    const waitMs = waitMsOf(response.headers, response.status);
    if (response.status === 429)
      throw new CloseUnavailable("Close asks for fewer requests", { retryAfterMs: waitMs });
    const isRefusal = response.status >= 400 && response.status < 500;
    if (isRefusal && !PASSING.has(response.status)) throw new CloseRefused(response.status);
    if (response.status !== 200)
      throw new CloseUnavailable(`Close answered with ${response.status}`, {
        retryAfterMs: waitMs > 0 ? waitMs : undefined,
      });
    const { data, has_more: hasMore } = parse(page, response.text);
    const results = data.flatMap((entry) => record.safeParse(entry).data ?? []);
    return { results, count: data.length, hasMore: hasMore && data.length > 0, waitMs };
  }

  const paged = (skip: number) => ({ _limit: String(PAGE_SIZE), _skip: String(skip) });
  return {
    listSequences: (skip) => read("/api/v1/sequence/", { ...paged(skip), _fields: "id,name" }, sequence),
    listSubscriptions: async (sequenceId, skip) => {
      const query = { ...paged(skip), sequence_id: sequenceId };
      const found = await read("/api/v1/sequence_subscription/", query, subscription);
      return {
        ...found,
        results: found.results.map((one) => ({
          id: one.id,
          status: one.status,
          contactEmail: one.contact_email ?? null,
          senderEmail: one.sender_email ?? null,
          startDate: one.start_date ?? null,
        })),
      };
    },
  };
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function ask(url: string, authorization: string): Promise<Answered> {
  try {
    const response = await fetch(url, {
      headers: { authorization, accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, headers: response.headers, text: await textOf(response) };
  } catch (error) {
    if (error instanceof CloseUnavailable) throw error;
    throw new CloseUnavailable("Close did not answer", { cause: error });
  }
}

/** No more than {@link MOST_BYTES}, whatever is sent. */
async function textOf(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > MOST_BYTES) throw new CloseUnavailable("Close's answer is too large");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function parse<S extends z.ZodType>(schema: S, text: string): z.output<S> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CloseUnavailable("Close's answer is no JSON", { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw new CloseUnavailable("Close's answer has another shape", { cause: parsed.error });
  return parsed.data;
}
