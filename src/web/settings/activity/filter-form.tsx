import { LONGEST_SEARCH } from "#domain/contract/execution-filter.js";
import { OUTCOME_LABELS, OUTCOMES } from "#domain/history/shown-outcome.js";
import type { ActivityQuery, QueryField } from "#domain/history/activity-query.js";
import type { Choice } from "../frame/fields.js";
import type { FilterChoices } from "./choices.js";
import type { Format } from "../words/format.js";
import {
  CODE_CHOICES,
  describeValue,
  FIELD_LABELS,
  RETRIES_LABELS,
  SINCE_LABELS,
} from "../words/activity-words.js";

interface FilterFormModel {
  readonly query: ActivityQuery;
  readonly choices: FilterChoices;
  /** Where the list without a filter is. */
  readonly path: string;
  readonly format: Format;
}

/** Fields of the second row, folded away until one is used. */
const FURTHER: readonly QueryField[] = [
  "workflow",
  "contact",
  "from",
  "to",
  "decided",
  "decided_before",
  "enrolled",
  "retries",
];

/** A plain form: what is filled in ends up in the address, which can be kept and passed on. */
export function FilterForm({ query: { given }, choices, path, format }: FilterFormModel) {
  const statuses = OUTCOMES.map((outcome) => ({ value: outcome, label: OUTCOME_LABELS[outcome] }));
  const times = choicesOf(SINCE_LABELS);
  return (
    <form class="filter" method="get" action={path} role="search" aria-label="Activity">
      {given.kind === undefined ? null : <input type="hidden" name="kind" value={given.kind} />}
      <div class="filter-row">
        <div class="filter-search">
          <label for="filter-q">Search</label>
          <input
            id="filter-q"
            type="search"
            name="q"
            maxLength={LONGEST_SEARCH}
            value={given.q ?? ""}
            placeholder="Name, email, or ID"
            aria-describedby="filter-q-note"
          />
          <p class="note" id="filter-q-note">
            {SEARCH_HINT}
          </p>
        </div>
        <Select field="status" choices={statuses} given={given} />
        <Select field="code" choices={CODE_CHOICES} given={given} />
        <Select field="sequence" choices={choices.sequences} given={given} />
        <Select field="sender" choices={choices.senders} given={given} />
        <Select field="since" choices={times} given={given} format={format} />
      </div>
      <details open={FURTHER.some((field) => given[field] !== undefined)}>
        <summary>More filters</summary>
        <div class="filter-row">
          {choices.workflows.length === 0 ? (
            <Text field="workflow" given={given} hint="ID" />
          ) : (
            <Select field="workflow" choices={choices.workflows} given={given} />
          )}
          <Text field="contact" given={given} hint="ID" />
          <Day field="from" given={given} />
          <Day field="to" given={given} />
          <Select field="decided" choices={times} given={given} format={format} />
          {given.decided_before === undefined ? null : (
            <Select field="decided_before" choices={[]} given={given} format={format} />
          )}
          <Select field="enrolled" choices={times} given={given} format={format} />
          <Select field="retries" choices={choicesOf(RETRIES_LABELS)} given={given} />
        </div>
      </details>
      <p class="actions">
        <button class="button primary">Apply</button>
        {Object.keys(given).length === 0 ? null : (
          <a class="button" href={path}>
            Clear filters
          </a>
        )}
      </p>
    </form>
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

function Select({
  field,
  given,
  choices,
  format,
}: FieldModel & { choices: readonly Choice[]; format?: Format }) {
  const current = given[field] ?? "";
  const isKnown = current === "" || choices.some(({ value }) => value === current);
  return (
    <div>
      <label for={`filter-${field}`}>{FIELD_LABELS[field]}</label>
      <select id={`filter-${field}`} name={field}>
        <option value="">Any</option>
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
      </select>
    </div>
  );
}

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
