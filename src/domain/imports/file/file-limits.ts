/** What an import takes. */
export interface FileLimits {
  readonly rows: number;
  readonly columns: number;
  /** Maximum length of a row's text, in characters. */
  readonly rowLength: number;
  readonly fileBytes: number;
}

export const FILE_LIMITS: FileLimits = {
  rows: 100_000,
  columns: 200,
  rowLength: 16 * 1024,
  fileBytes: 64 * 1024 * 1024,
};
