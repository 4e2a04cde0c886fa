import { z } from "zod";

/** What HubSpot says of an error. Any part may be missing, null, or of another type: each is read by itself. */
export interface ErrorBody {
  /** In HubSpot's words; undefined where it has none. */
  readonly message: string | undefined;
  readonly category: string | undefined;
  readonly policyName: string | undefined;
  /** What stands where HubSpot puts names of errors, e.g. `SequenceError.UNSUBSCRIBED`: the outermost first. */
  readonly codes: readonly string[];
  /** The sentences of the single errors below the message. */
  readonly details: readonly string[];
}

const text = z.string().min(1);
const maybeText = text.or(z.array(z.unknown()).transform((list) => list.find(isText))).pipe(text.optional());

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A name of an error and no sentence: what people wrote has other characters, or is longer. */
const CODE = /^[A-Za-z][\w.:$-]{2,150}$/;
/** Says no more than that there is an error. */
const SAYS_NOTHING = /^(?:error|fail(?:ed|ure)?)$/i;
/** Members that name an error. In a context stand ids and texts of records too, under names of their own. */
const NAMES_AN_ERROR = /^(?:sub_?category|error_?type|error_?code|code|errors?|reason|status)$/i;
/** Members that say in words what is wrong. */
const TELLS_OF_AN_ERROR = /^(?:message|error_?message|error_?description|detail|errors)$/i;
/** A list of more errors says nothing that its first ones do not. */
const MOST_ERRORS = 20;
/** Errors stand in lists, in contexts, and in wrappers of both: below that only what is no error any more. */
const DEEPEST = 5;
const MOST_PARTS = 100;

type Members = Readonly<Record<string, unknown>>;

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

const listOf = (value: unknown): readonly unknown[] => (isList(value) ? value : [value]);

/** The objects of a body, the outermost first. Wherever an error stands in it, it is one of them. */
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

/** The texts of a part's members of certain names, alone or in lists; `first` before the others. */
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
