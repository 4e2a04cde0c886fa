/**
 * What a migration must not do while the app serves: each rule names statements that keep everybody from a table for as
 * long as it takes to read or write all of it, or that take away what a running older release still uses.
 */

/** Comments, and what stands between quotes, say nothing of what a statement does. */
function statementsOf(sql) {
  return sql
    .replace(/--.*$/gm, "")
    .replace(/'(?:[^']|'')*'/g, "''")
    .split(";")
    .map((statement) => statement.replace(/\s+/g, " ").trim())
    .filter((statement) => statement !== "");
}

const RULES = [
  [
    /\bADD COLUMN\b.*\bDEFAULT (?:clock_timestamp|random|gen_random_uuid|uuidv\d)\b/i,
    "a default that differs from row to row rewrites the table: add the column without it, then set the default",
  ],
  [
    /\bADD COLUMN\b.*\b(?:SMALLSERIAL|SERIAL|BIGSERIAL|GENERATED)\b/i,
    "a generated column rewrites the table",
  ],
  [/\bALTER COLUMN\b.*\bTYPE\b/i, "changing a column's type rewrites the table: add a new column"],
  [
    /\bSET NOT NULL\b/i,
    "reads the whole table under a lock: first ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT, and mark the migration `-- migrate: checked-not-null`",
  ],
  [
    /^CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)/i,
    "keeps everybody from writing until it is built: CREATE INDEX CONCURRENTLY, in a file of its own with `-- migrate: no-transaction`",
  ],
  [
    /\bADD (?:CONSTRAINT \S+ )?(?:PRIMARY KEY|UNIQUE) ?\(/i,
    "builds an index under a lock: build it CONCURRENTLY, then ADD CONSTRAINT … USING INDEX",
  ],
  [
    /\bADD CONSTRAINT\b(?!.*\bNOT VALID\b).*\b(?:CHECK|FOREIGN KEY)\b/i,
    "reads the whole table under a lock: add it NOT VALID, and validate it in a later migration",
  ],
  [
    /^(?:UPDATE|DELETE FROM|WITH .*\b(?:UPDATE|DELETE)\b)/i,
    "changes rows while the lock is held: fill in steps, by a job of the app",
  ],
  [/^LOCK\b/i, "keeps everybody from the table"],
  [/^TRUNCATE\b/i, "takes data away"],
  [/^(?:VACUUM FULL|CLUSTER|REINDEX (?!.*CONCURRENTLY))/i, "keeps everybody from the table until it is done"],
  [
    /^DROP (?!INDEX CONCURRENTLY)|\bDROP (?:COLUMN|CONSTRAINT|DEFAULT|NOT NULL)\b/i,
    "an older release may still use it: drop it a release after the last one that does, and say so with `-- migrate: drops-unused`",
  ],
  [/\bRENAME\b/i, "an older release knows the old name only: add the new one beside it"],
];

const EXCUSES = [
  [/checked-not-null/, /SET NOT NULL/i],
  [/drops-unused/, /DROP/i],
];

/** Tables that a migration makes are nobody else's yet: there it may do what it likes. */
function madeHere(statements) {
  return statements.flatMap(
    (statement) => /^CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?/i.exec(statement)?.[1] ?? [],
  );
}

function tableOf(statement) {
  return /\b(?:ALTER TABLE(?: ONLY)?|ON|UPDATE|DELETE FROM|LOCK TABLE|TRUNCATE(?: TABLE)?) "?(\w+)"?/i.exec(
    statement,
  )?.[1];
}

/**
 * @param {string} sql a migration.sql
 * @returns {string[]} one sentence for each statement that must not run beside a working app
 */
export function problemsOf(sql) {
  const statements = statementsOf(sql);
  const own = new Set(madeHere(statements));
  const marks = [...sql.matchAll(/^-- migrate: (\S+)$/gm)].map(([, mark]) => mark);
  const problems = statements
    .filter((statement) => !own.has(tableOf(statement)))
    .flatMap((statement) =>
      RULES.filter(([pattern]) => pattern.test(statement))
        .filter(
          ([pattern]) =>
            !EXCUSES.some(
              ([mark, what]) =>
                marks.some((name) => mark.test(name)) && what.test(statement) && what.test(pattern.source),
            ),
        )
        .map(([, why]) => `${statement.slice(0, 100)}: ${why}`),
    );
  const isAlone = marks.includes("no-transaction");
  if (isAlone && statements.length > 1) problems.push("outside a transaction a file holds one statement");
  if (!isAlone && statements.some((statement) => /\bCONCURRENTLY\b/i.test(statement)))
    problems.push("CONCURRENTLY runs outside a transaction only: mark the file `-- migrate: no-transaction`");
  return problems;
}
