import { LONGEST_SEARCH } from "#domain/contract/execution-filter.js";
import { OUTCOME_LABELS, OUTCOMES } from "#domain/history/shown-outcome.js";
import {
  addressWith,
  narrowingOf,
  OPEN_LIST,
  type ActivityQuery,
  type QueryField,
} from "#domain/history/activity-query.js";
import { shorten } from "#platform/text/shorten.js";
import type { Choice } from "../frame/fields.js";
import { namesOf, type FilterChoices } from "./choices.js";
import type { Format } from "../words/format.js";
import {
  CODE_CHOICES,
  describeValue,
  FIELD_LABELS,
  RETRIES_LABELS,
  SINCE_LABELS,
} from "../words/activity-words.js";
import { LONGEST_LABEL } from "../words/names.js";

interface FilterFormModel {
  readonly query: ActivityQuery;
  readonly choices: FilterChoices;
  /** Where the list without a filter is. */
  readonly path: string;
  readonly format: Format;
}

/** Fields that are folded away until one is used. */
const FURTHER: readonly QueryField[] = [
  "contact",
  "from",
  "to",
  "decided",
  "decided_before",
  "enrolled",
  "retries",
];

/** A plain form in one line: what is filled in ends up in the address, which can be kept and passed on. */
export function FilterForm(model: FilterFormModel) {
  const { query, choices, path, format } = model;
  const { given } = query;
  const statuses = OUTCOMES.map((outcome) => ({ value: outcome, label: OUTCOME_LABELS[outcome] }));
  const times = choicesOf(SINCE_LABELS);
  return (
    <form class="filter" method="get" action={path} role="search" aria-label="Activity">
      {given.kind === undefined ? null : <input type="hidden" name="kind" value={given.kind} />}
      {given.skipped === undefined ? null : <input type="hidden" name="skipped" value={given.skipped} />}
      <div class="filter-bar">
        <div class="filter-search">
          <label class="unseen" for="filter-q">
            Search
          </label>
          <input
            id="filter-q"
            type="search"
            name="q"
            maxLength={LONGEST_SEARCH}
            value={given.q ?? ""}
            placeholder="Name, email, or ID (paste a list)"
            title={SEARCH_HINT}
          />
        </div>
        <Select field="since" choices={times} given={given} format={format} />
        {choices.workflows.length === 0 ? null : (
          <Select field="workflow" choices={choices.workflows} given={given} />
        )}
        <Select field="status" choices={statuses} given={given} />
        <Select field="code" choices={CODE_CHOICES} given={given} />
        <Select field="sequence" choices={choices.sequences} given={given} cut={choices.cut.sequence} />
        <Select field="sender" choices={choices.senders} given={given} cut={choices.cut.sender} />
        <button class="button primary">Apply</button>
      </div>
      <details open={FURTHER.some((field) => narrowingOf(given)[field] !== undefined)}>
        <summary>More filters</summary>
        <div class="filter-row">
          {choices.workflows.length === 0 ? <Text field="workflow" given={given} hint="ID" /> : null}
          <Text field="contact" given={given} hint="ID" />
          <Day field="from" given={given} />
          <Day field="to" given={given} />
          <Select field="decided" choices={times.filter(isPast)} given={given} format={format} isLabeled />
          {given.decided_before === undefined ? null : (
            <Select field="decided_before" choices={[]} given={given} format={format} isLabeled />
          )}
          <Select field="enrolled" choices={times.filter(isPast)} given={given} format={format} isLabeled />
          <Select field="retries" choices={choicesOf(RETRIES_LABELS)} given={given} isLabeled />
        </div>
      </details>
      <Chips {...model} />
    </form>
  );
}

/** Days of the calendar are for when a contact was received only. */
const isPast = ({ value }: Choice): boolean => /^\d/.test(value);

/** Each condition that is set, and the way to the list without it. */
function Chips({ query: { given }, choices, path, format }: FilterFormModel) {
  const set = Object.entries(narrowingOf(given)) as [QueryField, string][];
  if (set.length === 0) return null;
  const names = namesOf(choices);
  const open = given.kind === undefined ? {} : { ...OPEN_LIST, kind: given.kind };
  return (
    <ul class="chips" aria-label="Filters in use">
      {set.map(([field, value]) => {
        const { [field]: _, ...rest } = given;
        const told = names[field]?.get(value) ?? describeValue(field, value, format);
        const label = `${FIELD_LABELS[field]}: ${shorten(told, LONGEST_LABEL)}`;
        return (
          <li key={field}>
            <a href={addressWith(path, rest)} aria-label={`Remove filter ${label}`}>
              <bdi>{label}</bdi> <span aria-hidden="true">✕</span>
            </a>
          </li>
        );
      })}
      <li>
        <a href={addressWith(path, open)}>Clear filters</a>
      </li>
    </ul>
  );
}

/** How the search matches, in a sentence. */
export const SEARCH_HINT = "Name, email, or contact ID. Paste several emails to check a list.";

function choicesOf(labels: Readonly<Record<string, string>>): Choice[] {
  return Object.entries(labels).map(([value, label]) => ({ value, label }));
}

interface FieldModel {
  readonly field: QueryField;
  readonly given: ActivityQuery["given"];
}

interface SelectModel extends FieldModel {
  readonly choices: readonly Choice[];
  /** Said at the end of a list that does not hold all. */
  readonly cut?: string | undefined;
  readonly format?: Format;
  readonly isLabeled?: boolean;
}

/** In the bar the first choice says what it chooses; below it there is room for a label. */
function Select({ field, given, choices, cut, format, isLabeled = false }: SelectModel) {
  const current = given[field] ?? "";
  const isKnown = current === "" || choices.some(({ value }) => value === current);
  return (
    <div>
      <label class={isLabeled ? undefined : "unseen"} for={`filter-${field}`}>
        {FIELD_LABELS[field]}
      </label>
      <select id={`filter-${field}`} name={field}>
        <option value="">{isLabeled ? "Any" : `Any ${ANY_WORDS[field] ?? field}`}</option>
        {isKnown ? null : (
          <option value={current} selected>
            {format === undefined ? current : describeValue(field, current, format)}
          </option>
        )}
        {choices.map(({ value, label }) => (
          <option key={value} value={value} selected={value === current}>
            {label}
          </option>
        ))}
        {cut === undefined ? null : <option disabled>{cut}</option>}
      </select>
    </div>
  );
}

const ANY_WORDS: Readonly<Partial<Record<QueryField, string>>> = {
  since: "time",
  status: "result",
  code: "reason",
};

function Text({ field, given, hint }: FieldModel & { hint: string }) {
  return (
    <div>
      <label for={`filter-${field}`}>{`${FIELD_LABELS[field]} ${hint}`}</label>
      <input id={`filter-${field}`} name={field} type="text" inputMode="numeric" value={given[field] ?? ""} />
    </div>
  );
}

function Day({ field, given }: FieldModel) {
  return (
    <div>
      <label for={`filter-${field}`}>{FIELD_LABELS[field]}</label>
      <input id={`filter-${field}`} name={field} type="date" value={given[field] ?? ""} />
    </div>
  );
}
