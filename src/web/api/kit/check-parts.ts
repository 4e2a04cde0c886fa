import type { z } from "zod";
import type { FieldProblem } from "./problem.js";

/** Problems told at once. */
const MOST_PROBLEMS = 100;
/** Characters of a name that is repeated to whoever sent it. */
const LONGEST_NAME = 100;

/** A value that fits its schema, or everything that is wrong with it. */
export type Checked<Value> =
  | { readonly kind: "fits"; readonly value: Value }
  | { readonly kind: "wrong"; readonly problems: readonly FieldProblem[] };

/** Checks a JSON body; each problem points to its place. */
export function checkBody<Value>(schema: z.ZodType<Value>, body: unknown): Checked<Value> {
  return check(schema, body, (path) => ({ pointer: pointerOf(path) }));
}

/** Checks the parameters of a query or of a path; each problem names its parameter. */
export function checkParameters<Value>(
  schema: z.ZodType<Value>,
  given: Readonly<Record<string, unknown>>,
): Checked<Value> {
  return check(schema, given, ([name = ""]) => ({ parameter: nameOf(name) }));
}

type Place = Omit<FieldProblem, "detail">;

function check<Value>(
  schema: z.ZodType<Value>,
  given: unknown,
  placeOf: (path: readonly PropertyKey[]) => Place,
): Checked<Value> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return { kind: "fits", value: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, placeOf));
  return { kind: "wrong", problems: problems.slice(0, MOST_PROBLEMS) };
}

function problemsOf(
  issue: z.core.$ZodIssue,
  placeOf: (path: readonly PropertyKey[]) => Place,
): FieldProblem[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => ({
      ...placeOf([...issue.path, name]),
      detail: `There is no field “${nameOf(name)}” here.`,
    }));
  if (issue.code === "invalid_union") return problemsOfUnion(issue, placeOf);
  return [{ ...placeOf(issue.path), detail: wordsOf(issue) }];
}

/** What every alternative finds wrong is wrong for sure, and told where it is; the rest is told in one sentence. */
function problemsOfUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  placeOf: (path: readonly PropertyKey[]) => Place,
): FieldProblem[] {
  const alternatives = issue.errors.map((issues) =>
    issues.flatMap((one) => problemsOf(one, (path) => placeOf([...issue.path, ...path]))),
  );
  const keyOf = (problem: FieldProblem): string => JSON.stringify(problem);
  const isCommon = (problem: FieldProblem): boolean =>
    alternatives.every((problems) => problems.some((other) => keyOf(other) === keyOf(problem)));
  const common = alternatives[0]?.filter(isCommon) ?? [];
  const rest = issue.errors.flat().filter(({ code }) => code !== "unrecognized_keys" || common.length === 0);
  if (common.length > 0 && rest.length === 0) return common;
  return [...common, { ...placeOf(issue.path), detail: [...new Set(rest.map(wordsOf))].join(" Or: ") }];
}

/** Zod's own words, except where they speak of its insides. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined"))
    return "This is required.";
  if (issue.code === "invalid_union") return [...new Set(issue.errors.flat().map(wordsOf))].join(" Or: ");
  const text = issue.message.replace(/^Invalid (?:input|option): /, "");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.replace(/\.\.$/, ".");
}

/** RFC 6901: `/contact/email`; empty for the whole body. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${nameOf(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function nameOf(part: PropertyKey): string {
  return String(part).slice(0, LONGEST_NAME);
}
