import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import ts from "typescript";

const SOURCE = join(import.meta.dirname, "../../src");
/** The simulator and the command line share no code with the app; what Prisma generates is not ours to name. */
const LEFT_OUT = /^(?:simulator|cli|platform\/db\/generated)\//;

/** What a file declares and exports: types, functions, classes and constants. */
function exportedNames(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(join(SOURCE, path), "utf8"), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
    if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
    const declared = ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.map(({ name }) => name)
      : [(statement as ts.DeclarationStatement).name];
    return declared.flatMap((name) => (name !== undefined && ts.isIdentifier(name) ? [name.text] : []));
  });
}

test("a name that is exported has one shape: no two files of the app declare it", () => {
  const paths = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !LEFT_OUT.test(path))
    .sort();
  expect(paths.length).toBeGreaterThan(300);
  const placesOf = new Map<string, string[]>();
  for (const path of paths)
    for (const name of new Set(exportedNames(path)))
      placesOf.set(name, [...(placesOf.get(name) ?? []), path]);
  const twice = [...placesOf].filter(([, places]) => places.length > 1);
  expect(Object.fromEntries(twice)).toEqual({});
});
