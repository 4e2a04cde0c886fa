import { Conflict } from "../words/change-table.js";
import type { Change } from "../words/changes.js";
import type { Frame } from "../frame/shell.js";
import type { StoredPortalPolicy } from "#domain/policy/portal-policy-store.js";
import type { SenderFilter, SenderItem, SenderListPage } from "./sender-list.js";
import { RECENT_DAYS } from "#domain/policy/approved-senders.js";
import { numbered } from "../words/format.js";
import { Sparkline } from "./day-bars.js";
import { hoursInWords, nextTimeOff, senderStatusOf, type StatusFacts } from "./sender-status.js";
import { PostForm, Radio } from "../frame/fields.js";
import { SitePage } from "../frame/shell.js";

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

export interface SendersModel {
  frame: Frame;
  senders: SenderListPage;
  filter: SenderFilter;
  now: Date;
  stored: StoredPortalPolicy;
  /** Enrollments of the last days by user id, the oldest first. */
  sent: ReadonlyMap<string, readonly number[]>;
  /** Who stays ticked, if the marks could not be saved. */
  ticked?: ReadonlySet<string>;
  conflict?: readonly Change[];
  /** Only approved users were to send, and nobody is approved: how many could be, as they sent lately. */
  nobodyApproved?: { readonly recent: number } | undefined;
}

export function SendersPage(model: SendersModel) {
  const { frame, senders, filter, stored, ticked, conflict, nobodyApproved } = model;
  const { formToken } = frame;
  const { onlyListedSenders } = stored.policy;
  return (
    <SitePage
      frame={frame}
      current={SENDERS_PATH}
      title="Senders"
      lead="Choose who can send, from which address, and how many contacts per day. A sender needs a connected inbox and a Sales or Service seat in HubSpot."
    >
      <Conflict changes={conflict} />
      <WhoCanSend frame={frame} stored={stored} nobodyApproved={nobodyApproved} />
      <section class="card" aria-labelledby="people-title">
        <div class="card-head">
          <h2 id="people-title">Senders</h2>
          <SearchForm filter={filter} />
        </div>
        {senders.items.length === 0 ? (
          <Nobody filter={filter} />
        ) : (
          <PostForm action={SENDERS_PATH} formToken={formToken}>
            <input type="hidden" name="search" value={filter.search} />
            <input type="hidden" name="show" value={filter.onlyTroubled ? "troubled" : ""} />
            <input type="hidden" name="sort" value={filter.sort} />
            <input type="hidden" name="page" value={senders.page} />
            <List
              items={senders.items}
              filter={filter}
              facts={{ onlyListed: onlyListedSenders, now: model.now, format: frame.format }}
              sent={model.sent}
              ticked={ticked ?? new Set()}
            />
            <div class="actions selection">
              <label class="inline" data-select-all hidden>
                <input type="checkbox" /> Select all on this page
              </label>
              <button class="button" name="mark" value="allowed">
                Approve
              </button>
              <button class="button" name="mark" value="not-allowed">
                Block
              </button>
              <button class="button" name="mark" value="default">
                Use account default
              </button>
            </div>
          </PostForm>
        )}
        <Paging senders={senders} filter={filter} />
      </section>
    </SitePage>
  );
}

function WhoCanSend({
  frame,
  stored,
  nobodyApproved,
}: Pick<SendersModel, "frame" | "stored" | "nobodyApproved">) {
  const isListed = nobodyApproved !== undefined || stored.policy.onlyListedSenders;
  const recent = nobodyApproved?.recent ?? 0;
  return (
    <section class="card" aria-labelledby="listing-title">
      <h2 id="listing-title">Who can send</h2>
      <PostForm action={`${SENDERS_PATH}/listing`} formToken={frame.formToken}>
        <input type="hidden" name="version" value={stored.version} />
        <fieldset class="group bare">
          <legend class="unseen">Who can send</legend>
          <Radio name="only_listed" value="no" label="Anyone, except blocked users" isChecked={!isListed} />
          <Radio
            name="only_listed"
            value="yes"
            label="Only approved users"
            isChecked={isListed}
            note="Everyone else is skipped."
          />
        </fieldset>
        {nobodyApproved === undefined ? null : (
          <div class="notice bad" role="alert">
            <p>
              <strong>No one is approved yet, so no one could send.</strong> Approve senders in the list below
              first{recent === 0 ? "" : `, or approve everyone who sent in the last ${RECENT_DAYS} days`}.
            </p>
            {recent === 0 ? null : (
              <button class="button" name="approve" value="recent">
                Approve {numbered(recent, "recent sender")} and save
              </button>
            )}
          </div>
        )}
        <button class="button" name="approve" value="">
          Save
        </button>
      </PostForm>
    </section>
  );
}

function SearchForm({ filter }: { filter: SenderFilter }) {
  return (
    <form method="get" action={SENDERS_PATH} class="search" role="search">
      <label for="search">Name or email</label>
      <input id="search" name="search" type="search" value={filter.search} autocomplete="off" />
      {filter.sort === "name" ? null : <input type="hidden" name="sort" value={filter.sort} />}
      <label class="inline">
        <input type="checkbox" name="show" value="troubled" checked={filter.onlyTroubled} /> Needs attention
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
          No matching senders. <a href={SENDERS_PATH}>Clear search</a>
        </>
      ) : (
        "We're still loading your users from HubSpot. Reload in a minute."
      )}
    </p>
  );
}

/** Days of the small charts. */
export const LIST_DAYS = 14;

interface ListModel {
  items: readonly SenderItem[];
  filter: SenderFilter;
  sent: SendersModel["sent"];
  facts: StatusFacts;
  ticked: ReadonlySet<string>;
}

function List({ items, filter, facts, sent, ticked }: ListModel) {
  const isBySent = filter.sort === "sent";
  return (
    <table class="senders">
      <thead>
        <tr>
          <th scope="col" aria-sort={isBySent ? undefined : "ascending"}>
            {isBySent ? <a href={sendersHref({ ...filter, sort: "name", page: 1 })}>Name</a> : "Name"}
          </th>
          <th scope="col">Status</th>
          <th scope="col" aria-sort={isBySent ? "descending" : undefined}>
            {isBySent ? (
              "Last 24 hours"
            ) : (
              <a href={sendersHref({ ...filter, sort: "sent", page: 1 })}>Last 24 hours</a>
            )}
            , {LIST_DAYS} days
          </th>
          <th scope="col">Seats</th>
          <th scope="col">Details</th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row
            key={String(item.userId)}
            item={item}
            facts={facts}
            sent={sent.get(String(item.userId)) ?? []}
            isTicked={ticked.has(String(item.userId))}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowModel {
  item: SenderItem;
  facts: StatusFacts;
  sent: readonly number[];
  isTicked: boolean;
}

function Row({ item, facts, sent, isTicked }: RowModel) {
  const { format } = facts;
  const id = `user-${item.userId}`;
  return (
    <tr>
      <td data-label="Name" class="wide">
        <div class="pick">
          <input
            type="checkbox"
            id={id}
            name="user"
            value={String(item.userId)}
            checked={isTicked}
            aria-label={`Select ${item.label}`}
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
      <td data-label="Status">
        <Status item={item} facts={facts} />
      </td>
      <td data-label="24 hours">
        <span class="count">
          {format.count(item.sentLastDay)} of {format.count(item.dailyCap)}
        </span>
        <span class="note">
          <Sparkline counts={sent} />
        </span>
      </td>
      <td data-label="Seats">
        <span>{item.seatNames.length === 0 ? "–" : item.seatNames.join(", ")}</span>
      </td>
      <td data-label="Details">
        <div>
          <Details item={item} facts={facts} />
        </div>
      </td>
    </tr>
  );
}

/** What a sender does now, in one badge. */
export function Status({ item, facts }: { item: SenderItem; facts: StatusFacts }) {
  const { words, tone } = senderStatusOf(item, facts);
  return <span class={`badge ${tone}`}>{words}</span>;
}

function Details({ item, facts }: { item: SenderItem; facts: StatusFacts }) {
  const details = [
    nextTimeOff(item, facts) ?? "",
    item.sendAsEmail === null ? "" : `Sends from ${item.sendAsEmail}`,
    hoursInWords(item.hours) ?? "",
  ].filter((detail) => detail !== "");
  if (item.refusedCode === null && details.length === 0) return <>–</>;
  return (
    <>
      {item.refusedCode === null ? null : (
        <a href={`${SENDERS_PATH}/${item.userId}#refusal`} aria-label={`Fix ${item.label}`}>
          Fix
        </a>
      )}
      {details.map((detail) => (
        <span key={detail} class="note">
          {detail}
        </span>
      ))}
    </>
  );
}

function Paging({ senders, filter }: { senders: SenderListPage; filter: SenderFilter }) {
  const { page, pageCount, total } = senders;
  if (total === 0) return null;
  const href = (to: number): string => sendersHref({ ...filter, page: to });
  return (
    <nav class="paging" aria-label="Pages of senders">
      <span class="note">
        {numbered(total, "sender")}
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
