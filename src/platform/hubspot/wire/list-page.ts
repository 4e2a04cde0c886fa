import { z } from "zod";
import { identified } from "./records.js";

const cursor = z.union([z.string().max(2_000), z.number()]).transform(String);
/** A page of any list: its records are parsed one by one, and the next page's cursor separately. */
export const anyPage = z.object({ results: z.array(z.unknown()), paging: z.unknown().optional() });
/** An answer to a batch of ids, whose records are parsed one by one too. */
export const anyBatch = anyPage.pick({ results: true });

/** One page of a list; `after` is the cursor of the next, undefined on the last. */
export interface HubSpotPage<T> {
  results: T[];
  after: string | undefined;
  /** HubSpot names a next page in a form we do not know: the list is incomplete. */
  isCut?: boolean;
  /** Ids of the records that could not be read, and are not in `results`; undefined for one without a usable id. */
  leftOut: (string | undefined)[];
}

/** Records of an unknown shape are left out one by one. */
export function readEach<S extends z.ZodType>(
  entries: readonly unknown[],
  record: S,
): { read: z.output<S>[]; odd: unknown[] } {
  const read: z.output<S>[] = [];
  const odd: unknown[] = [];
  for (const entry of entries) {
    const parsed = record.safeParse(entry);
    if (parsed.success) read.push(parsed.data);
    else odd.push(entry);
  }
  return { read, odd };
}

/** Reads a page's records one by one; those of an unknown shape are left out. */
export function readPage<S extends z.ZodType<{ id: string | bigint }>>(
  page: z.output<typeof anyPage>,
  record: S,
): HubSpotPage<z.output<S>> {
  const { read: results, odd } = readEach(page.results, record);
  const leftOut = odd.map((entry) => identified.safeParse(entry).data?.id);
  return { results, ...nextOf(page.paging), leftOut };
}

/** An empty answer means none. */
function isNothing(value: unknown): boolean {
  return value == null || value === "" || (Array.isArray(value) && value.length === 0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The cursor of the next page. If the answer mentions a next page without a usable cursor, the list is incomplete. */
function nextOf(paging: unknown): Pick<HubSpotPage<unknown>, "after" | "isCut"> {
  const next = isObject(paging) ? paging["next"] : paging;
  const after = isObject(next) ? next["after"] : next;
  const isTold = !isNothing(after) || (isObject(next) && !Object.values(next).every(isNothing));
  if (!isTold) return { after: undefined };
  const read = isObject(next) && !isNothing(after) ? cursor.safeParse(after).data : undefined;
  return read === undefined ? { after: undefined, isCut: true } : { after: read };
}
