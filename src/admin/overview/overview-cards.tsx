import { sentenceOf } from "../../executions/error-codes.js";
import type { Backlog } from "./backlog.js";
import { numbered, shorten, type Format } from "../frame/format.js";
import { LONGEST_LABEL } from "../frame/names.js";
import { OUTCOME_LABELS } from "../activity/outcome.js";
import { DECIDED_OUTCOMES, RANGES, type OutcomeHistory, type Range } from "./outcome-history.js";
import type { SenderLoad } from "./sender-load.js";
import { Time } from "./connection.js";
import { OutcomeChart } from "./outcome-chart.js";

/** A list of executions narrowed down, as the activity page takes it. */
export function activityAddress(query: Readonly<Record<string, string>>): string {
  return `/settings/activity?${new URLSearchParams(query)}`;
}

/** What was decided in the chosen stretch of time: numbers, each a way into the list, and a chart. */
export function HistoryCard({ history, format }: { history: OutcomeHistory; format: Format }) {
  const { range, totals } = history;
  const total = DECIDED_OUTCOMES.reduce((sum, outcome) => sum + totals[outcome], 0);
  return (
    <section class="card" aria-labelledby="history-title">
      <div class="card-head">
        <h2 id="history-title">What happened</h2>
        <RangeChoice current={range} />
      </div>
      <ul class="figures">
        {DECIDED_OUTCOMES.map((outcome) => (
          <li key={outcome}>
            <a class={`figure ${outcome}`} href={activityAddress({ status: outcome, since: range })}>
              <strong>{format.count(totals[outcome])}</strong>
              <span>{OUTCOME_LABELS[outcome]}</span>
            </a>
          </li>
        ))}
      </ul>
      {total === 0 ? (
        <p class="empty">
          <strong>No contact was decided in the last {RANGES[range].label}.</strong> In HubSpot, add the step
          “Enroll in sequence” of Sequence Enroller to a contact workflow and turn it on. What happens to each
          contact shows here.
        </p>
      ) : (
        <OutcomeChart history={history} format={format} />
      )}
    </section>
  );
}

function RangeChoice({ current }: { current: Range }) {
  return (
    <nav class="choice" aria-label="Stretch of time">
      {Object.entries(RANGES).map(([range, { label }]) => (
        <a
          key={range}
          href={`/settings?range=${range}`}
          aria-current={range === current ? "true" : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}

/** Reasons shown. */
const TOP_REASONS = 5;

export function ReasonsCard({ history, format }: { history: OutcomeHistory; format: Format }) {
  const { reasons, range } = history;
  return (
    <section class="card" aria-labelledby="reasons-title">
      <div class="card-head">
        <h2 id="reasons-title">Why contacts were not enrolled</h2>
        <span class="note">Last {RANGES[range].label}</span>
      </div>
      {reasons.length === 0 ? (
        <p class="empty">No contact was turned down.</p>
      ) : (
        <ol class="reasons">
          {reasons.slice(0, TOP_REASONS).map(({ code, count }) => (
            <li key={code}>
              <a href={activityAddress({ code, since: range })}>
                {format.count(count)} <span class="unseen">contacts, </span>
                <code>{code}</code>
              </a>
              <p>{sentenceOf(code) ?? "See the contacts for HubSpot's own words."}</p>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

export interface WaitingModel {
  backlog: Backlog;
  format: Format;
  now: Date;
}

/** What {@link WaitingCard} fetches itself anew from. */
export const WAITING_PATH = "/settings/waiting";

/** How many wait and since when; with script it stays true by itself. */
export function WaitingCard({ backlog, format, now }: WaitingModel) {
  const { undecided, isPartial, oldestAcceptedAt, firstDeadlineAt } = backlog;
  return (
    <section
      class="card"
      id="waiting"
      aria-labelledby="waiting-title"
      hx-get={WAITING_PATH}
      hx-trigger="every 10s"
      hx-swap="outerHTML"
    >
      <div class="card-head">
        <h2 id="waiting-title">Waiting now</h2>
      </div>
      {oldestAcceptedAt === null || firstDeadlineAt === null ? (
        <p class="empty">Nobody is waiting.</p>
      ) : (
        <>
          <p>
            <a href={activityAddress({ status: "waiting" })}>
              {format.count(undecided)}
              {isPartial ? "+" : ""} {undecided === 1 ? "contact waits" : "contacts wait"}
            </a>{" "}
            to be enrolled. The oldest has waited for{" "}
            {format.duration(now.getTime() - oldestAcceptedAt.getTime())}.
          </p>
          <p class="note">
            The first is let go on <Time date={firstDeadlineAt} format={format} />, should it not be enrolled
            by then.
          </p>
        </>
      )}
    </section>
  );
}

/** From this share of the cap on, a sender is near it. */
const NEAR = 0.8;

export function SenderLoadCard({ loads, format }: { loads: readonly SenderLoad[]; format: Format }) {
  const near = loads.filter(({ sent, cap }) => sent >= cap * NEAR).length;
  return (
    <section class="card" aria-labelledby="load-title">
      <div class="card-head">
        <h2 id="load-title">Senders and their daily cap</h2>
        <span class="note">Last 24 hours</span>
      </div>
      {loads.length === 0 ? (
        <p class="empty">Nobody has sent in the last 24 hours.</p>
      ) : (
        <>
          <p>{near === 0 ? "Nobody is near their cap." : `${numbered(near, "sender")} near the cap.`}</p>
          <ul class="loads">
            {loads.map((load) => (
              <Load key={String(load.userId)} load={load} format={format} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Load({ load, format }: { load: SenderLoad; format: Format }) {
  const { userId, label, sent, cap } = load;
  const share = Math.min(1, sent / Math.max(1, cap));
  const tone = sent >= cap ? "failed" : sent >= cap * NEAR ? "waiting" : "enrolled";
  return (
    <li>
      <a href={activityAddress({ sender: userId.toString(), since: "24h" })}>
        <bdi>{shorten(label, LONGEST_LABEL)}</bdi>
      </a>
      <span class="note">
        {format.count(sent)} of {format.count(cap)}
        {sent >= cap ? ", used up" : ""}
      </span>
      <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" />
        <rect class={tone} width={Math.round(share * 100)} height="6" />
      </svg>
    </li>
  );
}
