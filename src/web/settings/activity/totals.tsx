import { ALL_KINDS, addressWith, type ActivityQuery } from "#domain/history/activity-query.js";
import type { KindCounts } from "#domain/history/search/kind-counts.js";
import type { ActivityTotals } from "#domain/history/search/activity-totals.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import { searchedList } from "#domain/contract/execution-filter.js";
import { Time } from "../frame/connection.js";
import { CODE_WORDS } from "../words/activity-words.js";
import { numbered, type Format } from "../words/format.js";
import { ACTIVITY_PATH } from "../words/paths.js";

interface Tab {
  readonly label: string;
  readonly query: Pick<ActivityQuery["given"], "kind" | "status">;
  readonly count: (counts: KindCounts) => number;
}

const TABS: readonly Tab[] = [
  { label: "Enrollments", query: { kind: "ENROLL" }, count: ({ enrollments }) => enrollments },
  { label: "Needs attention", query: { kind: "ENROLL", status: "failed" }, count: ({ failed }) => failed },
  { label: "Waiting", query: { kind: "ENROLL", status: "waiting" }, count: ({ waiting }) => waiting },
  { label: "Checks and waits", query: { kind: "OTHER" }, count: ({ others }) => others },
  { label: "All", query: { kind: ALL_KINDS }, count: ({ enrollments, others }) => enrollments + others },
];

interface TabsModel {
  query: ActivityQuery;
  counts: KindCounts;
  format: Format;
}

/** What is listed, and how much there is of it; the rest of the filter stays. */
export function KindTabs({ query: { given }, counts, format }: TabsModel) {
  const { kind = ALL_KINDS, status, ...rest } = given;
  const current =
    TABS.find(({ query }) => query.kind === kind && query.status === status) ??
    TABS.find(({ query }) => query.kind === kind && query.status === undefined);
  return (
    <nav class="choice tabs" aria-label="Actions">
      {TABS.map((tab) => (
        <a
          key={tab.label}
          href={addressWith(ACTIVITY_PATH, { ...rest, ...tab.query })}
          aria-current={tab === current ? "true" : undefined}
        >
          {tab.label}{" "}
          <span class="tab-count">
            {format.count(tab.count(counts))}
            {counts.isPartial ? "+" : ""}
          </span>
        </a>
      ))}
    </nav>
  );
}

interface TotalsModel {
  query: ActivityQuery;
  totals: ActivityTotals;
  format: Format;
}

/** Reasons named one by one. */
const REASONS_TOLD = 3;

/** "31 results: 16 enrolled · 12 not enrolled (10 inbox not connected, 2 opted out)"; each leads to its list. */
export function Totals({ query: { given }, totals, format }: TotalsModel) {
  const { total, outcomes, reasons, countedTo } = totals;
  if (total === 0) return null;
  return (
    <p class="totals" id="totals">
      <strong>
        {format.count(total)}
        {countedTo === undefined ? "" : "+"} {total === 1 ? "result" : "results"}
      </strong>
      {outcomes.map(({ outcome, count }) => (
        <span key={outcome}>
          {" · "}
          <a href={addressWith(ACTIVITY_PATH, { ...given, status: outcome })}>
            {format.count(count)} {OUTCOME_LABELS[outcome].toLowerCase()}
          </a>
        </span>
      ))}
      {reasons.length === 0 ? null : (
        <span class="note line">
          {reasons.slice(0, REASONS_TOLD).map(({ code, count }, index) => (
            <span key={code}>
              {index === 0 ? "" : " · "}
              <a href={addressWith(ACTIVITY_PATH, { ...given, code })}>
                {format.count(count)} {wordsOf(code)}
              </a>
            </span>
          ))}
          {reasons.length > REASONS_TOLD
            ? ` · ${numbered(reasons.length - REASONS_TOLD, "more reason")}`
            : ""}
        </span>
      )}
      {countedTo === undefined ? null : (
        <span class="note line">
          Counted back to <Time date={countedTo} format={format} />.
        </span>
      )}
    </p>
  );
}

function wordsOf(code: string): string {
  return Object.hasOwn(CODE_WORDS, code) ? CODE_WORDS[code as ErrorCode].toLowerCase() : code;
}

/** Longer lists say nothing more. */
const MISSING_NAMED = 50;

interface MissingModel {
  query: ActivityQuery;
  missing: readonly string[] | undefined;
  partsSince: Date | undefined;
  format: Format;
}

/** Whom of a list no action ever saw; or, of a search for a part of a name, how far back it looked. */
export function Missing({ query, missing, partsSince, format }: MissingModel) {
  if (partsSince !== undefined)
    return (
      <p class="note">
        Inside names and addresses, so short a search looks back to <Time date={partsSince} format={format} />
        . Enter three characters or more to search everything.
      </p>
    );
  const list = query.filter.search === undefined ? undefined : searchedList(query.filter.search);
  if (missing === undefined || list === undefined) return null;
  const asked = list.addresses.length + list.contactIds.length;
  const more = missing.length - MISSING_NAMED;
  return (
    <p class={missing.length === 0 ? "note" : "notice wait"} id="missing">
      <strong>
        {format.count(asked - missing.length)} of {format.count(asked)} found.
      </strong>{" "}
      {missing.length === 0 ? null : (
        <>
          Never reached the action:{" "}
          {missing.slice(0, MISSING_NAMED).map((one, index) => (
            <bdi key={one}>{`${index === 0 ? "" : ", "}${one}`}</bdi>
          ))}
          {more > 0 ? ` and ${format.count(more)} more` : ""}.
        </>
      )}
    </p>
  );
}
