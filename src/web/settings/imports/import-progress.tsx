import type { ErrorCode } from "#domain/contract/error-codes.js";
import type { ImportVerb } from "#domain/imports/change-import.js";
import type { Import, ImportCounts } from "#domain/imports/import.js";
import { SOURCE_PROBLEMS } from "#domain/imports/source-problems.js";
import { Time } from "../frame/connection.js";
import { PostForm } from "../frame/form.js";
import { Renewal, digestOf } from "../frame/renewal.js";
import { CODE_WORDS } from "../words/activity-words.js";
import { numbered, type Format } from "../words/format.js";
import { importPath } from "../words/paths.js";
import { COUNT_WORDS, IMPORT_STATE_WORDS } from "./import-words.js";

export interface ProgressModel {
  readonly one: Import;
  readonly counts: ImportCounts;
  readonly format: Format;
  readonly formToken: string;
  readonly now: Date;
}

/** Stands for what the part shows. */
export const progressDigest = ({ one, counts }: Pick<ProgressModel, "one" | "counts">): string =>
  digestOf({ one, counts });

/** How far the import is, what came of its rows, and what can be done now. Renews itself while something may change. */
export function ImportProgress(model: ProgressModel) {
  const { one, counts, format, now } = model;
  const { label, tone } = IMPORT_STATE_WORDS[one.state];
  const mayChange = one.state !== "UPLOADED" && one.state !== "CHECKED" && !isSettled(model);
  const renewal = {
    "hx-get": `${importPath(one.id)}/progress?seen=${progressDigest(model)}`,
    "hx-trigger": "every 3s",
    "hx-swap": "outerHTML",
  };
  return (
    <section class="card" id="progress" aria-labelledby="progress-title" {...(mayChange ? renewal : {})}>
      <div class="card-head">
        <h2 id="progress-title" aria-live="polite">
          {titleOf(one, format)}
        </h2>
        <span class={`badge ${tone}`}>{label}</span>
      </div>
      <Explanation {...model} />
      {one.state === "UPLOADED" ? null : (
        <Figures counts={counts} isForeseen={isTried(one)} format={format} />
      )}
      <Reasons {...model} />
      <Buttons {...model} />
      {mayChange ? <Renewal now={now} format={format} reload={importPath(one.id)} /> : null}
    </section>
  );
}

/** There is nothing to count yet. */
const isBefore = ({ state }: Import): boolean => state === "READING" || state === "UPLOADED";

const isTried = ({ state }: Import): boolean => state === "CHECKING" || state === "CHECKED";

/** It has ended, and nothing of it waits. */
function isSettled({ one: { state }, counts: { waiting } }: ProgressModel): boolean {
  return (state === "DONE" || state === "CANCELLED") && waiting === 0;
}

function titleOf({ state, rowCount, checkedRows, handedRows }: Import, format: Format): string {
  const of = (count: number) => `${format.count(count)} of ${numbered(rowCount, "row")}`;
  switch (state) {
    case "READING":
      return `Read ${numbered(rowCount, "row")} so far`;
    case "UPLOADED":
      return numbered(rowCount, "row");
    case "CHECKING":
      return `Tested ${of(checkedRows)}`;
    case "CHECKED":
      return `What would happen to ${numbered(rowCount, "row")}`;
    default:
      return `Processed ${of(handedRows)}`;
  }
}

function Explanation({ one, counts, format }: ProgressModel) {
  if (one.problem !== null)
    return (
      <p class="notice bad" role="alert">
        {SOURCE_PROBLEMS[one.problem]}
      </p>
    );
  switch (one.state) {
    case "READING":
      return <p>Reading the rows. No one is enrolled yet. You can leave this page.</p>;
    case "UPLOADED":
      return (
        <p>
          Match the columns below and choose what applies to every row. Then run a test: each row is checked
          against your rules as if it came from a workflow, and no one is enrolled.
        </p>
      );
    case "CHECKING":
      return <p>This is a test. No one is enrolled.</p>;
    case "CHECKED":
      return (
        <p>No one has been enrolled yet. Results can still change, because contacts, owners, and caps do.</p>
      );
    case "RUNNING":
      return (
        <p>Contacts from workflows go first. You can leave this page; the import continues on its own.</p>
      );
    case "PAUSED":
      return <p>No more rows are processed until you resume. Rows already queued are still enrolled.</p>;
    default:
      return one.endedAt === null ? null : (
        <p>
          Ended <Time date={one.endedAt} format={format} />.
          {one.state === "DONE" && counts.waiting > 0
            ? " Waiting contacts are enrolled once a cap, sending hours, or a date allows it."
            : ""}
        </p>
      );
  }
}

function Figures({
  counts,
  isForeseen,
  format,
}: {
  counts: ImportCounts;
  isForeseen: boolean;
  format: Format;
}) {
  return (
    <ul class="figures">
      {COUNT_WORDS.map(([name, { done, foreseen, tone }]) => (
        <li key={name} class={`figure ${tone}`}>
          <strong>{format.count(counts[name])}</strong>
          <span>{isForeseen ? foreseen : done}</span>
        </li>
      ))}
    </ul>
  );
}

/** Why rows are not enrolled, the most frequent reason first. */
function Reasons({ counts: { reasons }, format }: ProgressModel) {
  const all = Object.entries(reasons).sort(([, one], [, other]) => other - one);
  if (all.length === 0) return null;
  return (
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col">Rows</th>
        </tr>
      </thead>
      <tbody>
        {all.map(([code, count]) => (
          <tr key={code}>
            <th scope="row">
              {reasonWords(code)} <code>{code}</code>
            </th>
            <td data-label="Rows">
              <span>{format.count(count)}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function reasonWords(code: string): string {
  if (code === "INVALID_INPUT") return "Invalid value in the row";
  return Object.hasOwn(CODE_WORDS, code) ? CODE_WORDS[code as ErrorCode] : code;
}

const WORDS: Readonly<Record<ImportVerb, string>> = {
  "dry-run": "Test again",
  start: "Start enrolling",
  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel",
};

/** By state; the first is the main one. */
const VERBS: Readonly<Record<Import["state"], readonly ImportVerb[]>> = {
  READING: ["cancel"],
  UPLOADED: [],
  CHECKING: ["cancel"],
  CHECKED: ["start", "dry-run"],
  RUNNING: ["pause", "cancel"],
  PAUSED: ["resume", "cancel"],
  DONE: [],
  CANCELLED: [],
};

function Buttons({ one, formToken }: ProgressModel) {
  const path = importPath(one.id);
  const verbs = VERBS[one.state];
  const hasResults = one.state !== "CHECKING" && !isBefore(one) && one.problem === null;
  const mayDelete = !verbs.includes("cancel");
  return (
    <div class="actions">
      {verbs.map((verb, index) => (
        <PostForm key={verb} action={`${path}/${verb}`} formToken={formToken}>
          <input type="hidden" name="version" value={one.version} />
          <button class={index === 0 && verb !== "cancel" ? "button primary" : "button"}>
            {WORDS[verb]}
          </button>
        </PostForm>
      ))}
      {one.state === "CHECKED" ? (
        <a class="button" href={`${path}#setup`}>
          Change setup
        </a>
      ) : null}
      {hasResults ? (
        <a class="button" href={`${path}/results.csv`}>
          {one.state === "CHECKED" ? "Download test results" : "Download results"}
        </a>
      ) : null}
      {mayDelete ? <Delete path={path} formToken={formToken} /> : null}
    </div>
  );
}

function Delete({ path, formToken }: { path: string; formToken: string }) {
  return (
    <details class="confirm">
      <summary>Delete this import</summary>
      <p>Deletes the file and its results. Contacts who were enrolled stay enrolled.</p>
      <PostForm action={`${path}/delete`} formToken={formToken}>
        <button class="button danger">Delete</button>
      </PostForm>
    </details>
  );
}
