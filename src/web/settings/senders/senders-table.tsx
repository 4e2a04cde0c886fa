import type { SenderFilter, SenderItem } from "#domain/policy/sender-list.js";
import { Email } from "../words/email.js";
import { Sparkline } from "./day-bars.js";
import { hoursInWords, nextTimeOff, senderStatusOf, type StatusFacts } from "./sender-status.js";
import { SENDERS_PATH, sendersHref } from "./senders-address.js";

/** Days of the small charts. */
export const LIST_DAYS = 14;

interface TableModel {
  items: readonly SenderItem[];
  filter: SenderFilter;
  /** Enrollments of the last days by user id, the oldest first. */
  sent: ReadonlyMap<string, readonly number[]>;
  facts: StatusFacts;
  ticked: ReadonlySet<string>;
}

/** The senders of a page of the list, each to be ticked. */
export function SendersTable({ items, filter, facts, sent, ticked }: TableModel) {
  const isBySent = filter.sort === "sent";
  const isByStatus = filter.sort === "status";
  return (
    <table class="senders">
      <thead>
        <tr>
          <th scope="col" aria-sort={filter.sort === "name" ? "ascending" : undefined}>
            {filter.sort === "name" ? (
              "Name"
            ) : (
              <a href={sendersHref({ ...filter, sort: "name", page: 1 })}>Name</a>
            )}
          </th>
          <th scope="col" aria-sort={isByStatus ? "ascending" : undefined}>
            {isByStatus ? "Status" : <a href={sendersHref({ ...filter, sort: "status", page: 1 })}>Status</a>}
          </th>
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
                <Email address={item.email} />
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
