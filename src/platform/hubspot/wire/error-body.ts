import { z } from "zod";

/** HubSpot's description of an error. Any part may be missing, null, or of another type, so each is read separately. */
export interface ErrorBody {
  /** In HubSpot's words; undefined if it has none. */
  readonly message: string | undefined;
  readonly category: string | undefined;
  readonly policyName: string | undefined;
  /** The texts in the places where HubSpot puts error names, e.g. `SequenceError.UNSUBSCRIBED`: the outermost first. */
  readonly codes: readonly string[];
  /** The messages of the individual errors below the main message. */
  readonly details: readonly string[];
}

const text = z.string().min(1);
const maybeText = text.or(z.array(z.unknown()).transform((list) => list.find(isText))).pipe(text.optional());

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** An error name and not a sentence: text by people has other characters, or is longer. */
const CODE = /^[A-Za-z][\w.:$-]{2,150}$/;
/** Texts that say only that there is an error. */
const SAYS_NOTHING = /^(?:error|fail(?:ed|ure)?)$/i;
/** Members that name an error. Contexts also contain ids and texts of records, under other names. */
const NAMES_AN_ERROR = /^(?:sub_?category|error_?type|error_?code|code|errors?|reason|status)$/i;
/** Members that describe the problem. */
const TELLS_OF_AN_ERROR = /^(?:message|error_?message|error_?description|detail|errors)$/i;
/** Longer lists of errors say nothing that the first ones do not. */
const MOST_ERRORS = 20;
/** Errors are in lists, in contexts, and in wrappers of both: nothing deeper is an error. */
const DEEPEST = 5;
const MOST_PARTS = 100;

type Members = Readonly<Record<string, unknown>>;

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

const listOf = (value: unknown): readonly unknown[] => (isList(value) ? value : [value]);

/** The objects of a body, the outermost first. Any error in it is one of them. */
function partsOf(body: unknown): Members[] {
  const parts: Members[] = [];
  let level: readonly unknown[] = [body];
  for (let depth = 0; depth <= DEEPEST && level.length > 0; depth += 1) {
    const found = level.filter((value) => typeof value === "object" && value !== null).slice(0, MOST_PARTS);
    parts.push(...found.filter((value): value is Members => !isList(value)));
    level = found.flatMap((value) => Object.values(value as Members).slice(0, MOST_PARTS));
  }
  return parts.slice(0, MOST_PARTS);
}

/** The texts of a part's members with certain names, alone or in lists; `first` before the others. */
function textsOf(part: Members, names: RegExp, first: string): string[] {
  return [first, ...Object.keys(part).filter((name) => name !== first)]
    .filter((name) => names.test(name))
    .flatMap((name) => listOf(part[name]))
    .filter(isText);
}

function codesOf(part: Members): string[] {
  return textsOf(part, NAMES_AN_ERROR, "subCategory").filter(
    (value) => CODE.test(value) && !SAYS_NOTHING.test(value),
  );
}

function sentencesOf(part: Members): string[] {
  return textsOf(part, TELLS_OF_AN_ERROR, "message").filter((value) => !SAYS_NOTHING.test(value));
}

/** Reads the parsed body of an error, whatever it is. */
export function readErrorBody(body: unknown): ErrorBody {
  const parts = partsOf(body);
  const firstText = (name: string): string | undefined =>
    parts.map((part) => maybeText.safeParse(part[name]).data).find((value) => value !== undefined);
  const [outermost, ...inner] = parts.map(sentencesOf);
  const [message, ...others] = outermost ?? [];
  return {
    message,
    category: firstText("category"),
    policyName: firstText("policyName"),
    codes: parts.flatMap(codesOf).slice(0, MOST_ERRORS),
    details: [...others, ...inner.flat()].slice(0, MOST_ERRORS),
  };
}
