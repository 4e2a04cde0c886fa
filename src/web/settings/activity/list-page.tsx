import type { BulkJob } from "#domain/history/bulk-jobs.js";
import type { Format } from "../words/format.js";
import { digestOf, Renewal } from "../frame/renewal.js";
import { Time } from "../frame/connection.js";
import { ContactList } from "./contact-list.js";
import { addressWith, type ActivityQuery, type Position } from "#domain/history/activity-query.js";
import { JobLine } from "./bulk-pages.js";
import type { FilterChoices } from "./choices.js";
import type { ActivityPage } from "#domain/history/execution-search.js";
import { FilterForm, SEARCH_HINT } from "./filter-form.js";
import { ActivityFrame, type FrameModel } from "./frame.js";
import { ACTIVITY_PATH, BULK_PATH, EXPORT_PATH, LATEST_PATH } from "../words/paths.js";
import { ACTION_WORDS, describeQuery, FIELD_LABELS } from "../words/activity-words.js";

export interface ListModel {
  readonly query: ActivityQuery;
  readonly position: Position;
  readonly page: ActivityPage;
  readonly portalId: bigint;
  readonly hubspotUrl: string;
  readonly format: Format;
  readonly now: Date;
}

export interface ListPageModel extends ListModel, FrameModel {
  readonly choices: FilterChoices;
  readonly jobs: readonly BulkJob[];
}

export function ListPage(model: ListPageModel) {
  const { query, choices, jobs, format } = model;
  return (
    <ActivityFrame title="Activity" frame={model.frame}>
      <h1>Activity</h1>
      <p class="lead">Every contact that reached an action, newest first, with what came of it and why.</p>
      <div class="card">
        <FilterForm query={query} choices={choices} path={ACTIVITY_PATH} format={format} />
        {query.ignored.length === 0 ? null : (
          <p class="notice bad" role="alert">
            Not understood, so the list is not narrowed by it:{" "}
            {query.ignored.map((field) => FIELD_LABELS[field]).join(", ")}.
          </p>
        )}
      </div>
      {jobs.length === 0 ? null : (
        <section class="card" aria-labelledby="jobs-title">
          <h2 id="jobs-title">Under way</h2>
          <ul class="jobs">
            {jobs.map((job) => (
              <JobLine key={String(job.id)} job={job} format={format} />
            ))}
          </ul>
        </section>
      )}
      <ExecutionList {...model} />
      {query.ignored.length === 0 ? <BulkLinks query={query} format={format} /> : null}
    </ActivityFrame>
  );
}

/** The list; its first page fetches itself again, an older one stays as it is under the reader's eyes. */
export function ExecutionList(model: ListModel) {
  const { query, position, page, format, now } = model;
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
      <div class="card-head">
        <h2 id="executions-title">{describeQuery(query.given, format)}</h2>
        <a class="button quiet" id="export" href={addressWith(EXPORT_PATH, query.given)}>
          Download as CSV
        </a>
      </div>
      {isFirst ? (
        <Renewal now={now} format={format} reload={addressWith(ACTIVITY_PATH, query.given)} />
      ) : null}
      {page.items.length === 0 ? <Empty {...model} /> : <ContactList {...model} items={page.items} />}
      <SearchedTo {...model} />
      <Paging {...model} />
    </section>
  );
}

function Empty({ query, page }: ListModel) {
  if (page.searchedTo !== undefined) return null;
  if (Object.keys(query.given).length > 0) {
    return (
      <p class="empty">
        Nothing matches. Change the filter above, or clear it.
        {query.given.q === undefined ? "" : ` ${SEARCH_HINT}`}
      </p>
    );
  }
  return (
    <p class="empty">
      <strong>No contact has reached an action yet.</strong> In HubSpot, add one of Sequence Enroller's steps
      to a contact workflow and turn it on. Every contact that reaches the step appears here.
    </p>
  );
}

function SearchedTo({ page, position, format }: ListModel) {
  if (page.searchedTo === undefined) return null;
  return (
    <p class="note">
      {page.items.length === 0 ? "Nothing found so far. " : ""}
      Searched {position.after === undefined ? "back to" : "up to"}{" "}
      <Time date={page.searchedTo} format={format} />; there is more beyond it.
    </p>
  );
}

function Paging({ query, position, page }: ListModel) {
  const link = (more: Record<string, string>) => addressWith(ACTIVITY_PATH, query.given, more);
  const isFirst = position.before === undefined && position.after === undefined;
  if (isFirst && page.olderThan === undefined) return null;
  const onward = page.searchedTo === undefined ? "" : "Search on: ";
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

function BulkLinks({ query, format }: Pick<ListModel, "query" | "format">) {
  return (
    <section class="card" aria-labelledby="bulk-title">
      <h2 id="bulk-title">Do something with everything that matches</h2>
      <p class="note">
        What it applies to, and how many, is shown before anything happens.{" "}
        {describeQuery(query.given, format)}.
      </p>
      <p class="actions">
        {(["RETRY", "TRY_NOW", "CANCEL"] as const).map((action) => (
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
