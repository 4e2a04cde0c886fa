import type { z } from "zod";

/** What is wrong with a form, by the name of its field; a sentence each. */
export type Problems = Readonly<Record<string, string>>;

/** The first problem of each field; fields are named as in the form. */
export function problemsOf({ issues }: z.ZodError): Problems {
  const problems: Record<string, string> = {};
  for (const { path, message } of issues) problems[String(path[0])] ??= message;
  return problems;
}
