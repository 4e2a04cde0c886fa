import { AppError } from "../../../errors.js";

/**
 * - `ENCODING`: bytes that are no text; `SYNTAX`: no CSV file
 * - `EMPTY`: no header, or no row below it
 * - `TOO_LARGE`: more rows, columns or bytes than an import takes, or a row that is too long
 */
export type FileProblem = "ENCODING" | "SYNTAX" | "EMPTY" | "TOO_LARGE";

/** A file that cannot be imported; nothing of it is kept. `sentence` is for whoever sent it. */
export class ImportFileError extends AppError {
  override readonly code = "IMPORT_FILE_REFUSED";
  override readonly status: number;
  readonly problem: FileProblem;
  readonly sentence: string;

  constructor(problem: FileProblem, sentence: string, options?: { cause?: unknown }) {
    super(`an import's file was refused: ${problem}`, options);
    this.problem = problem;
    this.sentence = sentence;
    this.status = problem === "TOO_LARGE" ? 413 : 422;
  }
}
