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

const record = z.record(z.string(), z.unknown()).catch({});
const maybeText = z.string().min(1).optional().catch(undefined);
const list = z.array(z.unknown()).catch([]);

/** A name of an error and no sentence: what people wrote has other characters, or is longer. */
const CODE = /^[A-Za-z][\w.:$-]{2,150}$/;
/** Members that name an error. In a context stand ids and texts of records too, under names of their own. */
const NAMES_AN_ERROR = /^(?:sub_?category|error_?type|error_?code|code|error)$/i;
/** A list of more errors says nothing that its first ones do not. */
const MOST_ERRORS = 20;

type Members = Readonly<Record<string, unknown>>;

function codesOf(members: Members): string[] {
  const named = ["subCategory", ...Object.keys(members).filter((name) => name !== "subCategory")]
    .filter((name) => NAMES_AN_ERROR.test(name))
    .flatMap((name) => [members[name]].flat(1));
  return named.filter((value): value is string => typeof value === "string" && CODE.test(value));
}

/** Reads the parsed body of an error, whatever it is. */
export function readErrorBody(body: unknown): ErrorBody {
  const error = record.parse(body);
  const single = list
    .parse(error["errors"])
    .slice(0, MOST_ERRORS)
    .map((entry) => record.parse(entry));
  const text = (name: string): string | undefined => maybeText.parse(error[name]);
  return {
    message: text("message"),
    category: text("category"),
    policyName: text("policyName"),
    codes: [
      error,
      record.parse(error["context"]),
      ...single,
      ...single.map(({ context }) => record.parse(context)),
    ]
      .flatMap(codesOf)
      .slice(0, MOST_ERRORS),
    details: single.map(({ message }) => maybeText.parse(message)).filter((message) => message !== undefined),
  };
}
