import type { Backlog } from "../backlog.js";
import type { ActivityPage } from "../activity/execution-search.js";
import type { DayCounts } from "../day-counts.js";
import type { Format } from "../format.js";
import { OUTCOME_LABELS, OUTCOMES, type Outcome } from "../outcome.js";
import { ContactList } from "./contact-list.js";

/** The list of the overview page, for htmx; the whole of it is at /settings/activity. */
export const RECENT_PATH = "/settings/recent";

export interface RecentFilter {
  outcome: Outcome | undefined;
  before: bigint | undefined;
}

export interface ActivityModel {
  portalId: bigint;
  /** Origin of the account's HubSpot UI, for links to contacts. */
  hubspotUrl: string;
  filter: RecentFilter;
  counts: DayCounts;
  backlog: Backlog;
  now: Date;
  page: ActivityPage;
  format: Format;
}

/** Figures and list; with script it fetches itself anew, without it the links lead to whole pages. */
export function Activity(model: ActivityModel) {
  const { filter, page } = model;
  // An older page stays as it is: it would shift under the reader's eyes.
  const refresh =
    filter.before === undefined
      ? { "hx-get": addressOf(RECENT_PATH, filter), "hx-trigger": "every 10s", "hx-swap": "outerHTML" }
      : {};
  return (
    <section class="card" id="activity" aria-labelledby="activity-title" {...refresh}>
      <div class="card-head">
        <h2 id="activity-title">Contacts</h2>
        <span class="note">Figures: last 24 hours; waiting: now</span>
      </div>
      <Figures {...model} />
      {page.items.length === 0 ? <Empty filter={filter} /> : <ContactList {...model} items={page.items} />}
      <Paging filter={filter} page={page} />
    </section>
  );
}

function Figures({ counts, backlog, filter, format, now }: ActivityModel) {
  const shown = (value: number, isPartial = counts.isPartial) => format.count(value) + (isPartial ? "+" : "");
  return (
    <nav class="figures" aria-label="Filter by status">
      <Figure outcome={undefined} label="All" value={shown(counts.total)} filter={filter} />
      <Figure
        outcome="waiting"
        label="Waiting now"
        value={shown(backlog.undecided, backlog.isPartial)}
        remark={oldestOf(backlog, now, format)}
        filter={filter}
      />
      {OUTCOMES.filter((outcome) => isShown(outcome, counts)).map((outcome) => {
        const label = OUTCOME_LABELS[outcome];
        const value = shown(counts.byOutcome[outcome]);
        return <Figure key={outcome} outcome={outcome} label={label} value={value} filter={filter} />;
      })}
    </nav>
  );
}

/** What came of the other actions is of interest where they are used. */
function isShown(outcome: Outcome, { byOutcome }: DayCounts): boolean {
  return outcome !== "waiting" && (outcome !== "answered" || byOutcome.answered > 0);
}

function oldestOf({ oldestAcceptedAt }: Backlog, now: Date, format: Format): string | undefined {
  if (oldestAcceptedAt === null) return undefined;
  return `Oldest: ${format.duration(now.getTime() - oldestAcceptedAt.getTime())}`;
}

interface FigureModel {
  outcome: Outcome | undefined;
  label: string;
  value: string;
  remark?: string | undefined;
  filter: RecentFilter;
}

function Figure({ outcome, label, value, remark, filter }: FigureModel) {
  const isCurrent = filter.outcome === outcome;
  return (
    <a
      class={`figure ${outcome ?? "all"}`}
      aria-current={isCurrent ? "page" : undefined}
      {...linkTo({ outcome, before: undefined }, `figure-${outcome ?? "all"}`)}
    >
      <strong>{value}</strong>
      <span>{label}</span>
      {remark === undefined ? null : <small>{remark}</small>}
    </a>
  );
}

function Empty({ filter }: { filter: RecentFilter }) {
  if (filter.outcome !== undefined || filter.before !== undefined) {
    return <p class="empty">No contacts here. Choose another status above.</p>;
  }
  return (
    <div class="empty">
      <p>
        <strong>No contact has reached the action yet.</strong>
      </p>
      <p>
        In HubSpot, open a contact workflow, add the step “Enroll in sequence” of Sequence Enroller, choose a
        sequence and a sender, and turn the workflow on. Every contact that reaches the step appears here.
      </p>
    </div>
  );
}

function Paging({ filter, page }: { filter: RecentFilter; page: ActivityPage }) {
  if (filter.before === undefined && page.olderThan === undefined) return null;
  return (
    <nav class="paging" aria-label="Pages">
      {filter.before === undefined ? null : (
        <a class="button" {...linkTo({ outcome: filter.outcome, before: undefined }, "newest")}>
          Newest
        </a>
      )}
      {page.olderThan === undefined ? null : (
        <a class="button" {...linkTo({ outcome: filter.outcome, before: page.olderThan }, "older")}>
          Older
        </a>
      )}
    </nav>
  );
}

/** A link to a whole page that, with script, replaces the section only. The id lets htmx give the focus back. */
function linkTo(filter: RecentFilter, id: string) {
  const href = addressOf("/settings", filter);
  return {
    id,
    href,
    "hx-get": addressOf(RECENT_PATH, filter),
    "hx-target": "#activity",
    "hx-swap": "outerHTML",
    "hx-push-url": href,
  };
}

function addressOf(path: string, { outcome, before }: RecentFilter): string {
  const query = new URLSearchParams({
    ...(outcome === undefined ? {} : { status: outcome }),
    ...(before === undefined ? {} : { before: before.toString() }),
  }).toString();
  return query === "" ? path : `${path}?${query}`;
}
