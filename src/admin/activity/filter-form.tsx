import { ERROR_CODES } from "../../executions/error-codes.js";
import { EXECUTION_KINDS } from "../../executions/execution.js";
import { OUTCOME_LABELS, OUTCOMES } from "./outcome.js";
import type { ActivityQuery, QueryField } from "./activity-query.js";
import type { Choice, FilterChoices } from "./choices.js";
import { FIELD_LABELS, KIND_LABELS, SINCE_LABELS } from "./words.js";

interface FilterFormModel {
  readonly query: ActivityQuery;
  readonly choices: FilterChoices;
  /** Where the list without a filter is. */
  readonly path: string;
}

/** Fields of the second row, folded away until one is used. */
const FURTHER: readonly QueryField[] = ["kind", "workflow", "contact", "from", "to"];

/** A plain form: what is filled in ends up in the address, which can be kept and passed on. */
export function FilterForm({ query: { given }, choices, path }: FilterFormModel) {
  const codes = ERROR_CODES.map((code) => ({ value: code, label: code }));
  const statuses = OUTCOMES.map((outcome) => ({ value: outcome, label: OUTCOME_LABELS[outcome] }));
  const kinds = EXECUTION_KINDS.map((kind) => ({ value: kind, label: KIND_LABELS[kind] }));
  const times = Object.entries(SINCE_LABELS).map(([value, label]) => ({ value, label }));
  return (
    <form class="filter" method="get" action={path} role="search" aria-label="Executions">
      <div class="filter-row">
        <div class="filter-search">
          <label for="filter-q">E-mail, contact id or callback id</label>
          <input id="filter-q" type="search" name="q" maxLength={320} value={given.q ?? ""} />
        </div>
        <Select field="status" choices={statuses} given={given} />
        <Select field="code" choices={codes} given={given} />
        <Select field="sequence" choices={choices.sequences} given={given} />
        <Select field="sender" choices={choices.senders} given={given} />
        <Select field="since" choices={times} given={given} />
      </div>
      <details open={FURTHER.some((field) => given[field] !== undefined)}>
        <summary>More filters</summary>
        <div class="filter-row">
          <Select field="kind" choices={kinds} given={given} />
          <Text field="workflow" given={given} hint="id" />
          <Text field="contact" given={given} hint="id" />
          <Day field="from" given={given} />
          <Day field="to" given={given} />
        </div>
      </details>
      <p class="actions">
        <button class="button primary">Show</button>
        {Object.keys(given).length === 0 ? null : (
          <a class="button" href={path}>
            Clear filter
          </a>
        )}
      </p>
    </form>
  );
}

interface FieldModel {
  readonly field: QueryField;
  readonly given: ActivityQuery["given"];
}

function Select({ field, given, choices }: FieldModel & { choices: readonly Choice[] }) {
  const current = given[field] ?? "";
  const isKnown = current === "" || choices.some(({ value }) => value === current);
  return (
    <div>
      <label for={`filter-${field}`}>{FIELD_LABELS[field]}</label>
      <select id={`filter-${field}`} name={field}>
        <option value="">Any</option>
        {isKnown ? null : (
          <option value={current} selected>
            {current}
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
