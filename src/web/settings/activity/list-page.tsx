import { ForAdmins } from "../session/view-only.js";
import type { SavedView } from "#domain/history/search/saved-views.js";
import { SavedViews } from "./views/saved-views.js";
import type { BulkJob } from "#domain/history/bulk-jobs.js";
import type { Format } from "../words/format.js";
import { digestOf, Renewal } from "../frame/renewal.js";
import { Time } from "../frame/connection.js";
import { ContactList } from "./contact-list.js";
import {
  addressWith,
  narrowingOf,
  type ActivityQuery,
  type Position,
} from "#domain/history/activity-query.js";
import { JobLine } from "./bulk/bulk-pages.js";
import { actionsFor, Selection } from "./selection.js";
import { namesOf, type FilterChoices } from "./choices.js";
import type { Present } from "#domain/history/shown-outcome.js";
import type { KindCounts } from "#domain/history/search/kind-counts.js";
import type { ActivityTotals } from "#domain/history/search/activity-totals.js";
import { KindTabs, Missing, Totals } from "./totals.js";
import type { ActivityPage } from "#domain/history/execution-search.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { FilterForm, SEARCH_HINT } from "./filter-form.js";
import { ActivityFrame, type FrameModel } from "./frame.js";
import { ACTIVITY_PATH, BULK_PATH, EXPORT_PATH, LATEST_PATH } from "../words/paths.js";
import { ACTION_WORDS, describeQuery, FIELD_LABELS } from "../words/activity-words.js";

export interface ListModel {
  readonly query: ActivityQuery;
  readonly position: Position;
  readonly page: ActivityPage;
  readonly totals: ActivityTotals;
  /** Of a list that was searched for, what no call was ever for. */
  readonly missing: readonly string[] | undefined;
  /** Parts of names were looked for only since then. */
  readonly partsSince: Date | undefined;
  readonly portalId: PortalId;
  readonly hubspotUrl: string;
  readonly formToken: string;
  readonly format: Format;
  readonly present: Present;
}

export interface ListPageModel extends ListModel, FrameModel {
  readonly choices: FilterChoices;
  readonly counts: KindCounts;
  readonly jobs: readonly BulkJob[];
  readonly views: readonly SavedView[];
}

export function ListPage(model: ListPageModel) {
  const { query, choices, jobs, format } = model;
  return (
    <ActivityFrame title="Activity" frame={model.frame}>
      <div class="page-head">
        <h1>Activity</h1>
        <a class="button quiet" id="export" href={addressWith(EXPORT_PATH, query.given)}>
          Export CSV
        </a>
      </div>
      <KindTabs query={query} counts={model.counts} format={format} />
      <SavedViews {...model} />
      <div class="card">
        <FilterForm query={query} choices={choices} path={ACTIVITY_PATH} format={format} />
        {query.ignored.length === 0 ? null : (
          <p class="notice bad" role="alert">
            We couldn't read this filter, so it was ignored:{" "}
            {query.ignored.map((field) => FIELD_LABELS[field]).join(", ")}.
          </p>
        )}
      </div>
      {jobs.length === 0 ? null : (
        <section class="card" aria-labelledby="jobs-title">
          <h2 id="jobs-title">In progress</h2>
          <ul class="jobs">
            {jobs.map((job) => (
              <JobLine key={String(job.id)} job={job} format={format} />
            ))}
          </ul>
        </section>
      )}
      <ExecutionList {...model} />
      <ForAdmins>{query.ignored.length === 0 ? <BulkLinks {...model} /> : null}</ForAdmins>
    </ActivityFrame>
  );
}

/** The list; its first page fetches itself again, an older one stays as it is under the reader's eyes. */
export function ExecutionList(model: ListModel) {
  const { query, position, page, format, present } = model;
  const isFirst = position.before === undefined && position.after === undefined;
  const refresh = isFirst
    ? {
        "hx-get": addressWith(LATEST_PATH, query.given, { seen: digestOf(page) }),
        "hx-trigger": "every 10s",
        "hx-swap": "outerHTML",
      }
    : {};
  return (
    <section class="card" id="executions" aria-labelledby="executions-title" {...refresh}>
      <h2 class="unseen" id="executions-title">
        Results
      </h2>
      <Totals {...model} />
      {isFirst ? (
        <Renewal now={present.now} format={format} reload={addressWith(ACTIVITY_PATH, query.given)} />
      ) : null}
      <Missing {...model} />
      {page.items.length === 0 ? (
        <Empty {...model} />
      ) : (
        <>
          <ContactList {...model} given={query.given} items={page.items} />
          <Selection given={query.given} items={page.items} />
        </>
      )}
      <SearchedTo {...model} />
      <Paging {...model} />
    </section>
  );
}

function Empty({ query, page }: ListModel) {
  if (page.searchedTo !== undefined) return null;
  if (Object.keys(narrowingOf(query.given)).length > 0) {
    return (
      <p class="empty">
        No results. Change or clear the filters.
        {query.given.q === undefined ? "" : ` ${SEARCH_HINT}`}
      </p>
    );
  }
  return (
    <p class="empty">
      <strong>No activity yet.</strong> In HubSpot, add one of Sequence Enroller's actions to a contact
      workflow and turn it on. Every contact that reaches the action appears here.
    </p>
  );
}

function SearchedTo({ page, position, format }: ListModel) {
  if (page.searchedTo === undefined) return null;
  return (
    <p class="note">
      {page.items.length === 0 ? "Nothing found yet. " : ""}
      Searched {position.after === undefined ? "back to" : "up to"}{" "}
      <Time date={page.searchedTo} format={format} />. There may be more.
    </p>
  );
}

function Paging({ query, position, page }: ListModel) {
  const link = (more: Record<string, string>) => addressWith(ACTIVITY_PATH, query.given, more);
  const isFirst = position.before === undefined && position.after === undefined;
  if (isFirst && page.olderThan === undefined) return null;
  const onward = page.searchedTo === undefined ? "" : "Keep searching: ";
  return (
    <nav class="paging" aria-label="Pages">
      {isFirst ? null : (
        <a class="button" id="page-first" href={link({})}>
          Newest
        </a>
      )}
      {page.newerThan === undefined ? null : (
        <a class="button" id="page-newer" href={link({ after: String(page.newerThan) })}>
          {position.after === undefined ? "" : onward}Newer
        </a>
      )}
      {page.olderThan === undefined ? null : (
        <a class="button" id="page-older" href={link({ before: String(page.olderThan) })}>
          {position.after === undefined ? onward : ""}Older
        </a>
      )}
    </nav>
  );
}

function BulkLinks({ query, totals, choices, format }: ListPageModel) {
  const actions = actionsFor(
    (outcome) => totals.countedTo !== undefined || totals.outcomes.some((one) => one.outcome === outcome),
  );
  if (totals.total === 0 || actions.length === 0) return null;
  return (
    <section class="card" aria-labelledby="bulk-title">
      <h2 id="bulk-title">Bulk actions</h2>
      <p class="note">
        You'll see how many contacts are affected before you confirm.{" "}
        {describeQuery(query.given, format, namesOf(choices))}.
      </p>
      <p class="actions">
        {actions.map((action) => (
          <a
            key={action}
            class="button"
            href={addressWith(BULK_PATH, query.given, { action: action.toLowerCase() })}
          >
            {ACTION_WORDS[action].bulk}…
          </a>
        ))}
      </p>
    </section>
  );
}
