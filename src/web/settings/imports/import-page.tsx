import { shorten } from "#platform/text/shorten.js";
import { SitePage, type Frame } from "../frame/shell.js";
import type { Change } from "../words/changes.js";
import { Conflict } from "../words/change-table.js";
import { LONGEST_LABEL } from "../words/names.js";
import { IMPORTS_PATH } from "../words/paths.js";
import { ImportProgress, type ProgressModel } from "./import-progress.js";
import { SetUpForm, type SetUpModel } from "./setup-form.js";

export interface ImportPageModel extends Omit<ProgressModel, "format" | "formToken"> {
  readonly frame: Frame;
  /** Undefined if nothing can be set up anymore. */
  readonly setUp: Omit<SetUpModel, "one"> | undefined;
  /** What another admin saved in the meantime, beside what was typed. */
  readonly conflict?: readonly Change[] | undefined;
}

export function ImportPage(model: ImportPageModel) {
  const { frame, one, setUp, conflict } = model;
  const { format, formToken } = frame;
  return (
    <SitePage title={one.name} current={IMPORTS_PATH} frame={frame} hasOwnHeading>
      <h1>
        <bdi>{shorten(one.name, LONGEST_LABEL)}</bdi>
      </h1>
      <ImportProgress {...model} format={format} formToken={formToken} />
      <Conflict changes={conflict} />
      {setUp === undefined ? null : <SetUpForm {...setUp} one={one} formToken={formToken} />}
    </SitePage>
  );
}
