/** HubSpot's answer to a batch of completions, by callback id. An id in neither list has no result. */
export interface BatchAnswer {
  readonly taken: ReadonlySet<string>;
  /** Why each was refused, in HubSpot's words. */
  readonly refused: ReadonlyMap<string, string>;
  /** HubSpot reported an error without saying whose: one of those without a result was refused. */
  readonly hasUnnamedErrors: boolean;
}

type Entry = Readonly<Record<string, unknown>>;

const isEntry = (value: unknown): value is Entry => typeof value === "object" && value !== null;
const entriesOf = (value: unknown): Entry[] => (Array.isArray(value) ? value.filter(isEntry) : []);

/** Ids appear in different places of HubSpot's answers: next to the message, in a context, in a list. */
const DEEPEST_ID = 4;

function idsIn(value: unknown, sent: ReadonlySet<string>, depth = 0): string[] {
  if (typeof value === "string" || typeof value === "number")
    return sent.has(String(value)) ? [String(value)] : [];
  if (!isEntry(value) || depth > DEEPEST_ID) return [];
  return Object.values(value).flatMap((member) => idsIn(member, sent, depth + 1));
}

/** The row's own status: from a number, or from one of the words HubSpot uses for it. */
function verdictOf(entry: Entry, isError: boolean): "taken" | "refused" | "unknown" {
  const status = Number(entry["status"] ?? entry["statusCode"] ?? Number.NaN);
  if (status === 429 || status >= 500 || /rate_?limit|internal/i.test(wordOf(entry["category"])))
    return "unknown";
  if (isError || status >= 400 || "error" in entry || entriesOf(entry["errors"]).length > 0) return "refused";
  return /error|fail|reject|refuse/i.test(wordOf(entry["status"])) ? "refused" : "taken";
}

const wordOf = (value: unknown): string => (typeof value === "string" ? value : "");
const messageOf = (entry: Entry): string => wordOf(entry["message"]) || "no reason given";

/** The first error that a success for a single completion names; undefined if it names none. */
export function readErrorOf(body: unknown): string | undefined {
  const [error] = isEntry(body) ? entriesOf(body["errors"]) : [];
  return error && messageOf(error);
}

/**
 * Reads the answer to a batch. A 204, and any other success that names no error, applies to the whole batch. A 207, or
 * a success with errors in it, is read row by row: its shape is not published, so ids are searched wherever they may
 * appear.
 */
export function readBatchAnswer(
  { httpStatus, body }: { httpStatus: number; body: unknown },
  callbackIds: readonly string[],
): BatchAnswer {
  const sent = new Set(callbackIds);
  const members = isEntry(body) && !Array.isArray(body) ? body : {};
  const errors = entriesOf(members["errors"]);
  const isMixed = httpStatus === 207 || errors.length > 0 || Number(members["numErrors"] ?? 0) > 0;
  if (!isMixed) return { taken: sent, refused: new Map(), hasUnnamedErrors: false };
  const rows = [
    ...errors.map((entry) => ({ entry, verdict: verdictOf(entry, true) })),
    ...[...entriesOf(body), ...entriesOf(members["results"])].map((entry) => ({
      entry,
      verdict: verdictOf(entry, false),
    })),
  ].map((row) => ({ ...row, ids: idsIn(row.entry, sent) }));
  const named = (verdict: string): Set<string> =>
    new Set(rows.flatMap((row) => (row.verdict === verdict ? row.ids : [])));
  const [taken, unknown] = [named("taken"), named("unknown")];
  const refused = rows.flatMap(({ entry, verdict, ids }) =>
    verdict === "refused" ? ids.map((id) => [id, messageOf(entry)] as const) : [],
  );
  const refusedIds = new Set(refused.map(([id]) => id));
  const failed = new Set(rows.flatMap(({ verdict, ids }) => (verdict === "taken" ? [] : ids)));
  const isUnnamed = errors.some((entry) => idsIn(entry, sent).length === 0);
  // An id on both sides has no clear result either.
  return {
    hasUnnamedErrors: isUnnamed || Number(members["numErrors"] ?? 0) > failed.size,
    taken: new Set([...taken].filter((id) => !refusedIds.has(id) && !unknown.has(id))),
    refused: new Map(refused.filter(([id]) => !taken.has(id) && !unknown.has(id))),
  };
}
