import { IMPORT_FIELDS, type ImportField } from "#domain/imports/file/guess-mapping.js";
import type { Import } from "#domain/imports/import.js";
import { shorten } from "#platform/text/shorten.js";
import { Group, SelectField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import type { Problems } from "../frame/problems.js";
import type { StepOffers } from "../step/step-entry.js";
import { StepFields } from "../step/step-fields.js";
import { LONGEST_LABEL } from "../words/names.js";
import { importPath } from "../words/paths.js";
import { FIELD_WORDS } from "./import-words.js";
import { CloseFields } from "./close-fields.js";
import { columnField, type SetUpEntry } from "./setup-entry.js";

export interface SetUpModel {
  readonly one: Import;
  readonly entry: SetUpEntry;
  readonly problems: Problems;
  readonly choices: StepOffers;
  /** The first rows, as they are in the file. */
  readonly sample: readonly (readonly string[])[];
}

/** Which column is which, what applies to every row, and the first rows to see whether it fits. */
export function SetUpForm(model: SetUpModel & { formToken: string }) {
  const { one, entry, problems, choices, formToken } = model;
  const path = importPath(one.id);
  return (
    <>
      <ProblemSummary problems={problems} />
      <Sample {...model} />
      <PostForm action={`${path}/setup`} formToken={formToken} class="card editor" id="setup">
        <input type="hidden" name="version" value={one.version} />
        {entry.close === undefined || one.closeFacts === null ? (
          <Columns {...model} />
        ) : (
          <CloseFields facts={one.closeFacts} entry={entry.close} choices={choices} problems={problems} />
        )}
        <Group
          legend="Applies to every row"
          note="If a row has its own value in a column above, that value is used."
        >
          <StepFields
            entry={entry.step}
            choices={choices}
            problems={problems}
            page={path}
            {...(entry.close === undefined ? { noSequence: "From a column" } : { hasSequence: false })}
          />
        </Group>
        <div class="actions">
          <button class="button primary" name="then" value="dry-run">
            Run test
          </button>
          <button class="button" name="then" value="save">
            Save without testing
          </button>
        </div>
      </PostForm>
    </>
  );
}

function Columns({ one, entry, problems }: SetUpModel) {
  const columns = one.columns.map((name, place) => ({
    value: String(place),
    label: shorten(name, LONGEST_LABEL),
  }));
  return (
    <Group
      legend="Columns"
      note="Matched by column name and the first rows. Each row needs an email address or a record ID; if it has both, the record ID is used."
    >
      <div class="pair">
        {IMPORT_FIELDS.map((field) => (
          <SelectField
            key={field}
            name={columnField(field)}
            label={FIELD_WORDS[field]}
            value={entry.columns[field]}
            problems={problems}
            choices={[{ value: "", label: "Not in the file" }, ...columns]}
          />
        ))}
      </div>
    </Group>
  );
}

/** More columns than these would not fit beside each other. */
const MOST_SHOWN = 6;
const LONGEST_CELL = 60;

/** Columns that are used stand first. */
function Sample({ one, entry, sample }: SetUpModel) {
  const usedAs = new Map<number, string>(
    (Object.entries(entry.columns) as [ImportField, string][])
      .filter(([, place]) => place !== "")
      .map(([field, place]) => [Number(place), FIELD_WORDS[field]]),
  );
  const places = one.columns.map((_, place) => place);
  const shown = [...usedAs.keys(), ...places.filter((place) => !usedAs.has(place))].slice(0, MOST_SHOWN);
  const rest = one.columns.length - shown.length;
  return (
    <section class="card" aria-labelledby="sample-title">
      <div class="card-head">
        <h2 id="sample-title">First rows</h2>
      </div>
      <table>
        <thead>
          <tr>
            {shown.map((place) => (
              <th scope="col" key={place}>
                <bdi>{shorten(one.columns[place] ?? "", LONGEST_CELL)}</bdi>
                {usedAs.has(place) ? <span class="line">{usedAs.get(place)}</span> : null}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sample.map((cells, index) => (
            <tr key={index}>
              {shown.map((place) => (
                <td key={place} data-label={shorten(one.columns[place] ?? "", LONGEST_CELL)}>
                  <bdi>{shorten(cells[place] ?? "", LONGEST_CELL)}</bdi>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 ? <p class="note">{`${rest} more column${rest === 1 ? "" : "s"} not shown.`}</p> : null}
    </section>
  );
}
