import { z } from "zod";

/** An id, from HubSpot or our own: in requests as text or as a number, in answers as text. */
export const idField = z
  .union([z.string().regex(/^\d{1,19}$/, "must be an id of digits"), z.int().nonnegative()])
  .transform(String);

/** An id in a path or a query. */
export const idParameter = z.string().regex(/^\d{1,18}$/, "must be an id of digits");

/** `limit` of a list. */
export const limitParameter = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual).describe("How many at most.");

/** `after` of a list: `paging.next.after` of the page before. */
export const afterParameter = z
  .string()
  .min(1)
  .max(500)
  .optional()
  .describe("paging.next.after of the page before.");

/** A moment in answers: ISO 8601, UTC, with milliseconds. */
export const timeField = z.iso.datetime({ precision: 3 });

/** A list, with where its next page begins; the last page has no `paging`. */
export const pageSchema = <Item extends z.ZodType>(item: Item) =>
  z.object({
    results: z.array(item),
    paging: z.object({ next: z.object({ after: z.string() }) }).optional(),
  });
