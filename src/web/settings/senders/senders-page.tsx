import { Conflict } from "../words/change-table.js";
import type { Change } from "../words/changes.js";
import type { Format } from "../words/format.js";
import type { Frame } from "../frame/shell.js";
import type { StoredPortalPolicy } from "#domain/policy/portal-policy-store.js";
import type { SenderFilter, SenderItem, SenderListPage } from "./sender-list.js";
import { PostForm } from "../frame/fields.js";
import { SitePage } from "../frame/shell.js";

export const SENDERS_PATH = "/settings/senders";

/** Address of a page of the list. */
export function sendersHref({ search, onlyTroubled, page }: SenderFilter): string {
  const query = new URLSearchParams({
    ...(search === "" ? {} : { search }),
    ...(onlyTroubled ? { show: "troubled" } : {}),
    ...(page === 1 ? {} : { page: String(page) }),
  });
  return query.size === 0 ? SENDERS_PATH : `${SENDERS_PATH}?${query.toString()}`;
}

export interface SendersModel {
  frame: Frame;
  senders: SenderListPage;
  filter: SenderFilter;
  stored: StoredPortalPolicy;
  /** Who stays ticked, if the marks could not be saved. */
  ticked?: ReadonlySet<string>;
  conflict?: readonly Change[];
}

export function SendersPage({ frame, senders, filter, stored, ticked, conflict }: SendersModel) {
  const { formToken } = frame;
  const { onlyListedSenders } = stored.policy;
  return (
    <SitePage
      frame={frame}
      current={SENDERS_PATH}
      title="Senders"
      lead="Who may send in this account, from which address, and how much. A sender needs a connected personal inbox and a Sales or Service seat in HubSpot."
    >
      <Conflict changes={conflict} />
      <section class="card" aria-labelledby="listing-title">
        <h2 id="listing-title">
          {onlyListedSenders ? "Only people marked as allowed may send" : "Everybody may send"}
        </h2>
        <p>
          {onlyListedSenders
            ? "Everybody else is passed over as a sender."
            : "Except those marked as not allowed."}
        </p>
        <PostForm action={`${SENDERS_PATH}/listing`} formToken={formToken}>
          <input type="hidden" name="version" value={stored.version} />
          <input type="hidden" name="only_listed" value={onlyListedSenders ? "no" : "yes"} />
          <button class="button">
            {onlyListedSenders ? "Let everybody send" : "Allow only listed senders"}
          </button>
        </PostForm>
      </section>
      <section class="card" aria-labelledby="people-title">
        <div class="card-head">
          <h2 id="people-title">People</h2>
          <SearchForm filter={filter} />
        </div>
        {senders.items.length === 0 ? (
          <Nobody filter={filter} />
        ) : (
          <PostForm action={SENDERS_PATH} formToken={formToken}>
            <input type="hidden" name="search" value={filter.search} />
            <input type="hidden" name="show" value={filter.onlyTroubled ? "troubled" : ""} />
            <input type="hidden" name="page" value={senders.page} />
            <List
              items={senders.items}
              onlyListed={onlyListedSenders}
              format={frame.format}
              ticked={ticked ?? new Set()}
            />
            <div class="actions">
              <button class="button" name="mark" value="allowed">
                Allow ticked
              </button>
              <button class="button" name="mark" value="not-allowed">
                Do not allow ticked
              </button>
              <button class="button" name="mark" value="default">
                Account default
              </button>
            </div>
          </PostForm>
        )}
        <Paging senders={senders} filter={filter} />
      </section>
    </SitePage>
  );
}

function SearchForm({ filter }: { filter: SenderFilter }) {
  return (
    <form method="get" action={SENDERS_PATH} class="search" role="search">
      <label for="search">Name or email</label>
      <input id="search" name="search" type="search" value={filter.search} autocomplete="off" />
      <label class="inline">
        <input type="checkbox" name="show" value="troubled" checked={filter.onlyTroubled} /> Only with a
        problem
      </label>
      <button class="button">Search</button>
    </form>
  );
}

function Nobody({ filter }: { filter: SenderFilter }) {
  const isNarrowed = filter.search !== "" || filter.onlyTroubled;
  return (
    <p class="empty">
      {isNarrowed ? (
        <>
          Nobody fits this search. <a href={SENDERS_PATH}>Show everybody</a>
        </>
      ) : (
        "Your account's users have not been read from HubSpot yet. Reload this page in a minute."
      )}
    </p>
  );
}

interface ListModel {
  items: readonly SenderItem[];
  onlyListed: boolean;
  format: Format;
  ticked: ReadonlySet<string>;
}

function List({ items, onlyListed, format, ticked }: ListModel) {
  return (
    <table class="senders">
      <thead>
        <tr>
          <th scope="col">Person</th>
          <th scope="col">Seats</th>
          <th scope="col">May send</th>
          <th scope="col">Last 24 hours</th>
          <th scope="col">Remarks</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row
            key={String(item.userId)}
            item={item}
            onlyListed={onlyListed}
            format={format}
            isTicked={ticked.has(String(item.userId))}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowModel {
  item: SenderItem;
  onlyListed: boolean;
  format: Format;
  isTicked: boolean;
}

function Row({ item, onlyListed, format, isTicked }: RowModel) {
  const id = `user-${item.userId}`;
  return (
    <tr>
      <td data-label="Person" class="wide">
        <div class="pick">
          <input
            type="checkbox"
            id={id}
            name="user"
            value={String(item.userId)}
            checked={isTicked}
            aria-label={`Tick ${item.label}`}
          />
          <input type="hidden" name={`version_${item.userId}`} value={item.version} />
          <div>
            <a href={`${SENDERS_PATH}/${item.userId}`}>
              <bdi>{item.label}</bdi>
            </a>
            {item.email === null || item.email === item.label ? null : (
              <span class="note">
                <bdi>{item.email}</bdi>
              </span>
            )}
          </div>
        </div>
      </td>
      <td data-label="Seats">
        <span>{item.seatNames.length === 0 ? "–" : item.seatNames.join(", ")}</span>
      </td>
      <td data-label="May send">
        <MaySend item={item} onlyListed={onlyListed} />
      </td>
      <td data-label="24 hours">
        <span class="count">
          {format.count(item.sentLastDay)} of {format.count(item.dailyCap)}
        </span>
      </td>
      <td data-label="Remarks">
        <div>
          <Remarks item={item} format={format} />
        </div>
      </td>
    </tr>
  );
}

/** What an admin's mark, or without one the account's rule, comes to. */
export function MaySend({ item, onlyListed }: { item: SenderItem; onlyListed: boolean }) {
  if (!item.isActive) return <span class="badge">Deactivated</span>;
  const isAllowed = item.isAllowed ?? !onlyListed;
  return <span class={`badge ${isAllowed ? "enrolled" : "failed"}`}>{isAllowed ? "Yes" : "No"}</span>;
}

function Remarks({ item, format }: { item: SenderItem; format: Format }) {
  const remarks = [
    item.sentLastDay >= item.dailyCap ? "At the daily cap." : "",
    item.limitedUntil === null ? "" : `HubSpot's own limit until ${format.dateTime(item.limitedUntil)}.`,
    item.sendAsEmail === null ? "" : `Sends as ${item.sendAsEmail}.`,
    item.hasWindow ? "Has a send window." : "",
  ].filter((remark) => remark !== "");
  if (item.refusedCode === null && remarks.length === 0) return <>–</>;
  return (
    <>
      {item.refusedCode === null ? null : (
        <span class="warning">
          Refused by HubSpot: {REFUSALS[item.refusedCode] ?? item.refusedCode}.{" "}
          <a href={`${SENDERS_PATH}/${item.userId}#refusal`}>See and clear</a>
        </span>
      )}
      {remarks.map((remark) => (
        <span key={remark} class="note">
          {remark}
        </span>
      ))}
    </>
  );
}

/** What HubSpot's refusals mean, in few words. */
export const REFUSALS: Readonly<Record<string, string>> = {
  INBOX_NOT_CONNECTED: "no connected inbox",
  SENDER_NOT_PERMITTED: "not permitted to enroll contacts",
};

function Paging({ senders, filter }: { senders: SenderListPage; filter: SenderFilter }) {
  const { page, pageCount, total } = senders;
  if (total === 0) return null;
  const href = (to: number): string => sendersHref({ ...filter, page: to });
  return (
    <nav class="paging" aria-label="Pages of people">
      <span class="note">
        {total === 1 ? "1 person" : `${total.toLocaleString("en-US")} people`}
        {pageCount === 1 ? "" : `, page ${page} of ${pageCount}`}
      </span>
      {page > 1 ? (
        <a class="button quiet" rel="prev" href={href(page - 1)}>
          Previous
        </a>
      ) : null}
      {page < pageCount ? (
        <a class="button quiet" rel="next" href={href(page + 1)}>
          Next
        </a>
      ) : null}
    </nav>
  );
}
