import { FILE_LIMITS } from "#domain/imports/file/file-limits.js";
import type { Import } from "#domain/imports/import.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { FileField, TextField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import type { Problems } from "../frame/problems.js";
import { SitePage } from "../frame/shell.js";
import { numbered, type Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { importPath, IMPORTS_PATH } from "../words/paths.js";
import { CloseCard } from "./close-card.js";
import { SegmentCard, type SegmentCardModel } from "./segment-card.js";
import { IMPORT_STATE_WORDS } from "./import-words.js";

/** Those before them are found by their address only. */
export const IMPORTS_SHOWN = 50;

export interface ImportsPageModel extends SegmentCardModel {
  readonly imports: readonly Import[];
  /** As it was typed. */
  readonly name: string;
  /** The same of the form of Close. */
  readonly closeName: string;
  readonly problems: Problems;
}

export function ImportsPage(model: ImportsPageModel) {
  return (
    <SitePage
      title="Imports"
      current={IMPORTS_PATH}
      frame={model.frame}
      lead="Enroll contacts from a file, a segment, or Close. You see what would happen to each one first; no one is enrolled until you start."
    >
      <UploadForm {...model} />
      <SegmentCard {...model} />
      <CloseCard formToken={model.frame.formToken} name={model.closeName} problems={model.problems} />
      <ImportList {...model} />
    </SitePage>
  );
}

function UploadForm({ frame, name, problems }: ImportsPageModel) {
  const { rows, fileBytes } = FILE_LIMITS;
  const size = `At most ${numbered(rows, "row")} and ${fileBytes / 1024 / 1024} MB`;
  return (
    <section class="card" aria-labelledby="upload-title">
      <div class="card-head">
        <h2 id="upload-title">From a file</h2>
      </div>
      <ProblemSummary problems={problems} />
      <PostForm
        action={IMPORTS_PATH}
        formToken={frame.formToken}
        class="narrow"
        enctype="multipart/form-data"
      >
        <TextField
          name="name"
          label="Name (optional)"
          value={name}
          note="Leave blank to use the file's name."
          problems={problems}
        />
        <FileField
          name="file"
          label="CSV file"
          accept=".csv,.tsv,.txt,text/csv"
          note={`The first row must name the columns, and one column must hold email addresses or record IDs. Separate columns with commas, semicolons, or tabs. ${size}.`}
          problems={problems}
        />
        <button class="button primary">Upload</button>
      </PostForm>
    </section>
  );
}

function ImportList({ frame, imports }: ImportsPageModel) {
  return (
    <section class="card" aria-labelledby="imports-title">
      <div class="card-head">
        <h2 id="imports-title">Imports</h2>
      </div>
      {imports.length === 0 ? (
        <p class="empty">No imports yet. Upload a file above to begin.</p>
      ) : (
        <table>
          <thead>
            <tr>
              {["Name", "Status", "Rows", "Created"].map((head) => (
                <th scope="col" key={head}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {imports.map((one) => (
              <Row key={String(one.id)} one={one} format={frame.format} />
            ))}
          </tbody>
        </table>
      )}
      <p class="note">
        Files and results are deleted 90 days after the import ends, or sooner if your history limit is
        shorter.
        {imports.length < IMPORTS_SHOWN ? null : ` Only the newest ${IMPORTS_SHOWN} are listed.`}
      </p>
    </section>
  );
}

function Row({ one, format }: { one: Import; format: Format }) {
  const { label, tone } = IMPORT_STATE_WORDS[one.state];
  return (
    <tr>
      <th scope="row">
        <a href={importPath(one.id)}>
          <bdi class="clamp">{shorten(one.name, LONGEST_LABEL)}</bdi>
        </a>
      </th>
      <td data-label="Status">
        <span class={`badge ${tone}`}>{label}</span>
      </td>
      <td data-label="Rows">
        <span class="count">{rowsOf(one, format)}</span>
      </td>
      <td data-label="Created">
        <Time date={one.createdAt} format={format} />
      </td>
    </tr>
  );
}

/** Of one under way also how far it is. */
function rowsOf({ state, rowCount, checkedRows, handedRows }: Import, format: Format): string {
  const rows = format.count(rowCount);
  if (state === "CHECKING") return `${format.count(checkedRows)} of ${rows}`;
  return state === "RUNNING" || state === "PAUSED" ? `${format.count(handedRows)} of ${rows}` : rows;
}
