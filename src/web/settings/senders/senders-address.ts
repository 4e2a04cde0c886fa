import type { SenderFilter } from "#domain/policy/sender-list.js";

export const SENDERS_PATH = "/settings/senders";

/** Address of a page of the list. */
export function sendersHref({ search, onlyTroubled, sort, page }: SenderFilter): string {
  const query = new URLSearchParams({
    ...(search === "" ? {} : { search }),
    ...(onlyTroubled ? { show: "troubled" } : {}),
    ...(sort === "name" ? {} : { sort }),
    ...(page === 1 ? {} : { page: String(page) }),
  });
  return query.size === 0 ? SENDERS_PATH : `${SENDERS_PATH}?${query.toString()}`;
}
