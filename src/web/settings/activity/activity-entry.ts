import {
  OPEN_LIST,
  QUERY_FIELDS,
  readActivityQuery,
  type ActivityQuery,
} from "#domain/history/activity-query.js";
import { ADMIN_ACTIONS, type AdminAction } from "#domain/history/admin-actions.js";
import type { Exchange } from "../frame/exchange.js";
import { knownZone } from "../words/format.js";

/** The filter that an address's query or a form's fields hold. */
export function readQuery(
  { options, visit }: Exchange,
  given: Readonly<Record<string, unknown>>,
): ActivityQuery {
  return readActivityQuery(given, { now: options.now(), timeZone: knownZone(visit.portal.timeZone) });
}

export function readListQuery(exchange: Exchange): ActivityQuery {
  const { query } = exchange.request;
  const isOpen = QUERY_FIELDS.every((field) => query[field] === undefined || query[field] === "");
  return readQuery(exchange, isOpen ? OPEN_LIST : query);
}

/** `cancel`, `retry` or `try_now`. */
export function readAction(value: unknown): AdminAction | undefined {
  return ADMIN_ACTIONS.find((action) => action.toLowerCase() === value);
}
