import type { Answer } from "../wire/answer.js";
import type { Endpoint } from "../world/faults.js";
import type { Grant } from "../authorization/grants.js";
import type { SimulatedPortal } from "../portal.js";
import type { World } from "../world/world.js";

/** An API request that passed authentication, the rate limit and the scope check. */
export interface ApiCall {
  readonly world: World;
  readonly portal: SimulatedPortal;
  readonly grant: Grant;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined if there was none, or an unreadable one. */
  readonly body: unknown;
  /** By HubSpot's clock. */
  readonly nowMs: number;
}

export interface ApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly endpoint: Endpoint;
  /** Any one of these is enough. */
  readonly scopes: readonly string[];
  readonly answer: (call: ApiCall) => Answer;
}

interface Page<T> {
  readonly results: T[];
  readonly paging?: { readonly next: { readonly after: string; readonly link: string } };
}

/** Cuts one page out of a list ordered by id. The cursor is the id after which the next page starts. */
export function pageOf<T>(
  items: readonly T[],
  {
    call,
    path,
    idOf,
    defaultLimit,
  }: { call: ApiCall; path: string; idOf: (item: T) => string; defaultLimit: number },
): Page<T> {
  const limit = Math.min(Math.max(Number(call.query.get("limit") ?? defaultLimit) || defaultLimit, 1), 500);
  const after = call.query.get("after");
  const start = after === null ? 0 : items.findIndex((item) => idOf(item) === after) + 1;
  const results = items.slice(start, start + limit);
  const last = results.at(-1);
  if (last === undefined || start + limit >= items.length) return { results };
  const query = new URLSearchParams(call.query);
  query.set("after", idOf(last));
  return {
    results,
    paging: { next: { after: idOf(last), link: `${call.world.url}${path}?${query.toString()}` } },
  };
}
