import { Conflict } from "../words/change-table.js";
import type { Change } from "../words/changes.js";
import type { Frame } from "../frame/shell.js";
import type { StoredPortalPolicy } from "#domain/policy/portal-policy-store.js";
import type { SenderFilter, SenderListPage } from "#domain/policy/sender-list.js";
import { RECENT_DAYS } from "#domain/policy/approved-senders.js";
import { numbered } from "../words/format.js";
import { SENDERS_PATH, sendersHref } from "./senders-address.js";
import { SendersTable } from "./senders-table.js";
import { Radio } from "../frame/fields.js";
import { PostForm } from "../frame/form.js";
import { SitePage } from "../frame/shell.js";

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
            <SendersTable
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
