import type { z } from "zod";
import { refusal, type RefusedRequest } from "./problem.js";

/** Where a page of a list ends, as `paging.next.after`. */
export function writeCursor(place: object): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Undefined if it is not one of this list's. */
export function readCursor<Place>(schema: z.ZodType<Place>, cursor: string): Place | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(cursor, "base64url").toString())).data;
  } catch {
    return undefined;
  }
}

/** A cursor that is not of this list. */
export function wrongCursor(): RefusedRequest {
  const detail = "must be paging.next.after of the page before";
  return refusal("INVALID_REQUEST", { errors: [{ parameter: "after", detail }] });
}
