import type { Backlog } from "../backlog.js";
import type { DayCounts, ExecutionFilter, ExecutionItem, ExecutionPage } from "../execution-list.js";
import type { Format } from "../format.js";
import { OUTCOME_LABELS, OUTCOMES, remarkOn, type Outcome } from "../outcome.js";
import { Time } from "./connection.js";

export const ACTIVITY_PATH = "/settings/activity";

export interface ActivityModel {
  portalId: bigint;
  /** Origin of the account's HubSpot UI, for links to contacts. */
  hubspotUrl: string;
  filter: ExecutionFilter;
  counts: DayCounts;
  backlog: Backlog;
  now: Date;
  page: ExecutionPage;
  format: Format;
}

/** Figures and list; with script it fetches itself anew, without it the links lead to whole pages. */
export function Activity(model: ActivityModel) {
  const { filter, page } = model;
  // An older page stays as it is: it would shift under the reader's eyes.
  const refresh =
    filter.before === undefined
      ? { "hx-get": addressOf(ACTIVITY_PATH, filter), "hx-trigger": "every 10s", "hx-swap": "outerHTML" }
      : {};
  return (
    <section class="card" id="activity" aria-labelledby="activity-title" {...refresh}>
      <div class="card-head">
        <h2 id="activity-title">Contacts</h2>
        <span class="note">Figures: last 24 hours; waiting: now</span>
      </div>
      <Figures {...model} />
      {page.items.length === 0 ? <Empty filter={filter} /> : <List model={model} />}
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
      {OUTCOMES.filter(isDecided).map((outcome) => {
        const label = OUTCOME_LABELS[outcome];
        const value = shown(counts.byOutcome[outcome]);
        return <Figure key={outcome} outcome={outcome} label={label} value={value} filter={filter} />;
      })}
    </nav>
  );
}

const isDecided = (outcome: Outcome): boolean => outcome !== "waiting";

function oldestOf({ oldestAcceptedAt }: Backlog, now: Date, format: Format): string | undefined {
  if (oldestAcceptedAt === null) return undefined;
  return `Oldest: ${format.duration(now.getTime() - oldestAcceptedAt.getTime())}`;
}

interface FigureModel {
  outcome: Outcome | undefined;
  label: string;
  value: string;
  remark?: string | undefined;
  filter: ExecutionFilter;
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

function List({ model }: { model: ActivityModel }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">
            Time <span class="zone">({model.format.timeZone})</span>
          </th>
          <th scope="col">Contact</th>
          <th scope="col">Sequence</th>
          <th scope="col">Sender</th>
          <th scope="col">Status</th>
          <th scope="col">Reason</th>
        </tr>
      </thead>
      <tbody>
        {model.page.items.map((item) => (
          <Row key={String(item.id)} item={item} model={model} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ item, model }: { item: ExecutionItem; model: ActivityModel }) {
  const contactUrl = `${model.hubspotUrl}/contacts/${model.portalId}/record/0-1/${encodeURIComponent(item.contactId)}`;
  return (
    <tr>
      <td data-label="Time" class="time">
        <Time date={item.acceptedAt} format={model.format} />
      </td>
      <td data-label="Contact" class="wide">
        <a href={contactUrl} target="_blank" rel="noopener noreferrer">
          {item.contactEmail === null ? `Contact ${item.contactId}` : <Email address={item.contactEmail} />}
        </a>
      </td>
      <td data-label="Sequence">{item.sequence ?? "–"}</td>
      <td data-label="Sender" class="wide">
        <Sender item={item} />
      </td>
      <td data-label="Status">
        <span class={`badge ${item.outcome}`}>{OUTCOME_LABELS[item.outcome]}</span>
      </td>
      <Reason item={item} />
    </tr>
  );
}

function Sender({ item: { senderName, senderEmail } }: { item: ExecutionItem }) {
  if (senderEmail === null) return <>{senderName ?? "–"}</>;
  if (senderName === null) return <Email address={senderEmail} />;
  return (
    <>
      {senderName}
      <span class="note">
        <Email address={senderEmail} />
      </span>
    </>
  );
}

/** Broken before the @ where it has to be broken. */
function Email({ address }: { address: string }) {
  const at = address.lastIndexOf("@");
  if (at < 1) return <>{address}</>;
  return (
    <>
      {address.slice(0, at)}
      <wbr />
      {address.slice(at)}
    </>
  );
}

function Reason({ item }: { item: ExecutionItem }) {
  const remark = remarkOn(item);
  const words = item.outcome === "failed" || item.outcome === "waiting" ? item.lastProblem : null;
  if (item.errorMessage === null && remark === "" && words === null) return <td class="reason nothing">–</td>;
  return (
    <td data-label="Reason" class="reason">
      {item.errorMessage}
      {remark === "" ? null : <span class="note">{remark}</span>}
      {words === null ? null : <span class="note">HubSpot said: {words}</span>}
      {item.errorCode === null ? null : <code class="code">{item.errorCode}</code>}
    </td>
  );
}

function Empty({ filter }: { filter: ExecutionFilter }) {
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

function Paging({ filter, page }: { filter: ExecutionFilter; page: ExecutionPage }) {
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
function linkTo(filter: ExecutionFilter, id: string) {
  const href = addressOf("/settings", filter);
  return {
    id,
    href,
    "hx-get": addressOf(ACTIVITY_PATH, filter),
    "hx-target": "#activity",
    "hx-swap": "outerHTML",
    "hx-push-url": href,
  };
}

function addressOf(path: string, { outcome, before }: ExecutionFilter): string {
  const query = new URLSearchParams({
    ...(outcome === undefined ? {} : { status: outcome }),
    ...(before === undefined ? {} : { before: before.toString() }),
  }).toString();
  return query === "" ? path : `${path}?${query}`;
}
