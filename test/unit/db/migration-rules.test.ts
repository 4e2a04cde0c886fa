import { describe, expect, test } from "@jest/globals";

interface Rules {
  readonly problemsOf: (sql: string) => string[];
}

const rulesFile: string = "../../../.ci/migration-rules.mjs";
const { problemsOf } = (await import(rulesFile)) as Rules;

describe("a new migration", () => {
  test.each([
    'ALTER TABLE "executions" ADD COLUMN "token" UUID NOT NULL DEFAULT gen_random_uuid()',
    'ALTER TABLE "executions" ALTER COLUMN "attempts" TYPE BIGINT',
    'ALTER TABLE "executions" ALTER COLUMN "attempts" SET DATA TYPE BIGINT',
    'CREATE INDEX "e_i" ON "executions" ("portal_id")',
    'CREATE UNIQUE INDEX "e_i" ON "executions" ("portal_id")',
    'ALTER TABLE "executions" ALTER COLUMN "contact_email" SET NOT NULL',
    "UPDATE executions SET state = 'QUEUED'",
    "DELETE FROM executions",
    "LOCK TABLE executions",
    "TRUNCATE executions",
    'DROP INDEX "e_i"',
    'ALTER TABLE "executions" DROP COLUMN "request"',
    'DROP TABLE "executions"',
    'ALTER TABLE "executions" RENAME COLUMN "request" TO "call"',
    'ALTER TABLE "executions" ADD CONSTRAINT c CHECK (attempts >= 0)',
    "CREATE INDEX CONCURRENTLY e_i ON executions (portal_id)",
    "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY e_i ON executions (portal_id); SELECT 1",
  ])("that would hold up a working app is refused: %s", (sql) => {
    expect(problemsOf(`${sql};\n`)).not.toEqual([]);
  });

  test.each([
    'ALTER TABLE "executions" ADD COLUMN "note" TEXT',
    'ALTER TABLE "executions" ADD COLUMN "tries" INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE "executions" ADD COLUMN "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now()',
    'CREATE TABLE "notes" ("id" BIGINT PRIMARY KEY); CREATE INDEX "n_i" ON "notes" ("id")',
    "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY e_i ON executions (portal_id)",
    "-- an UPDATE is not meant; DROP neither\nALTER TABLE executions ADD COLUMN a TEXT DEFAULT 'UPDATE; DROP TABLE x'",
    'ALTER TABLE "executions" ADD CONSTRAINT c CHECK (attempts >= 0) NOT VALID',
    'ALTER TABLE "executions" VALIDATE CONSTRAINT c',
  ])("that only adds is taken: %s", (sql) => {
    expect(problemsOf(`${sql};\n`)).toEqual([]);
  });
});
