import { expect, test } from "@jest/globals";
import { readFileSync, readdirSync } from "node:fs";

const MIGRATIONS = new URL("../../../prisma/migrations/", import.meta.url);

/** Comments, texts and function bodies say nothing of what a statement does to a table. */
function statementsOf(sql: string): string[] {
  return sql
    .replace(/--.*$/gm, "")
    .replace(/\$\$[\s\S]*?\$\$/g, "")
    .replace(/'(?:[^']|'')*'/g, "''")
    .split(";")
    .map((statement) => statement.replace(/\s+/g, " ").trim())
    .filter((statement) => statement !== "");
}

const ADDS = /^CREATE (?:UNIQUE )?INDEX|^CREATE (?:TABLE|TYPE|SEQUENCE|SCHEMA)/i;
const TAKES = /\b(?:DROP|RENAME|TYPE|SET NOT NULL)\b/i;

/** Whether it changes what was there before, instead of only adding beside it. */
function changesWhatWas(sql: string): boolean {
  const statements = statementsOf(sql);
  const own = new Set(statements.map((one) => /^CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)/i.exec(one)?.[1]));
  return statements.some((statement) => {
    const table = /\b(?:ALTER TABLE(?: ONLY)?|ON|UPDATE|DELETE FROM|INTO) "?(\w+)/i.exec(statement)?.[1];
    if ((table !== undefined && own.has(table)) || ADDS.test(statement)) return false;
    return !/^ALTER TABLE/i.test(statement) || TAKES.test(statement);
  });
}

test("docs/migrations.md says of each migration that does more than add whether there is a way back", () => {
  const told = readFileSync(new URL("../../../docs/migrations.md", import.meta.url), "utf8");
  const changing = readdirSync(MIGRATIONS)
    .filter((name) => /^\d{14}_/.test(name))
    .filter((name) => changesWhatWas(readFileSync(new URL(`${name}/migration.sql`, MIGRATIONS), "utf8")));
  expect([...told.matchAll(/^\| `(\d{14}_\w+)`/gm)].map(([, name]) => name)).toEqual(changing);
});

test.each([
  ['ALTER TABLE "executions" DROP COLUMN "x";', true],
  ['UPDATE "executions" SET "x" = 1;', true],
  ['ALTER TABLE "executions" ADD COLUMN "x" TEXT; -- not DROP', false],
  ['CREATE TABLE "new" ("x" INT); UPDATE "new" SET "x" = 1;', false],
])("of %s it would tell: %s", (sql, expected) => {
  expect(changesWhatWas(sql)).toBe(expected);
});
