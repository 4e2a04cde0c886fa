import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { ERASURE_MOVES } from "#domain/contacts/contact-statements.js";
import { MOVES, type ExecutionState } from "#domain/contract/execution.js";
import { failed } from "#domain/contract/outcome.js";
import { reopenCompletions, REOPENING_MOVES } from "#domain/executions/accept/repeated-calls.js";
import {
  CLAIM_MOVES,
  claimDue,
  recoverAttempts,
  RECOVERY_MOVES,
  type Ownership,
} from "#domain/executions/claim.js";
import { COMPLETION_MOVES, writeCompletionResults } from "#domain/executions/completions.js";
import { expirePastDeadline, EXPIRY_MOVES } from "#domain/executions/overdue/expire.js";
import { markAllUncertain, RESTORE_MOVES } from "#domain/executions/mark-all-uncertain.js";
import { LOOK_MOVES, writeLooks, type WatchedExecution } from "#domain/executions/watch.js";
import { FINDING_MOVES, writeFindings, type Result } from "#domain/executions/write-back.js";
import { applyAction, CANCEL_MOVES } from "#domain/history/admin-actions.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

type Declared = Readonly<Partial<Record<ExecutionState, readonly ExecutionState[]>>>;

const STATES = Object.keys(MOVES) as ExecutionState[];
const CONTACT = "1001";

let db: TestDatabase;
let owner: Ownership;
let portalId = 70_000n;

/** Every move is noted where it happens, whatever statement made it. */
beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.pool.query(`
    CREATE TABLE decisions (portal_id bigint, id bigint);
    CREATE FUNCTION note_decision() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO decisions VALUES (new.portal_id, new.id); RETURN NULL; END $$;
    CREATE TRIGGER note_decision AFTER UPDATE OF state ON executions FOR EACH ROW
      WHEN (new.kind = 'ENROLL' AND new.state = 'DECIDED' AND old.state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN', 'WATCHING'))
      EXECUTE FUNCTION note_decision();
    CREATE TABLE made_moves (portal_id bigint, from_state text, to_state text);
    CREATE FUNCTION note_move() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO made_moves VALUES (new.portal_id, old.state, new.state); RETURN NULL; END $$;
    CREATE TRIGGER note_move AFTER UPDATE OF state ON executions FOR EACH ROW
      WHEN (old.state IS DISTINCT FROM new.state) EXECUTE FUNCTION note_move()`);
});

afterAll(() => db.drop());

/** A portal with executions in every state, of several kinds, that nothing keeps from moving: due, late, at rest or left behind. */
beforeEach(async () => {
  portalId += 1n;
  const { pool } = db.database;
  await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
  await pool.query(
    `INSERT INTO webhook_subscriptions (portal_id, url_sealed, secret_sealed, events)
     VALUES ($1, '', '', ARRAY['enrollment.refused', 'enrollment.enrolled'])`,
    [portalId],
  );
  await acquirePortal(pool, portalId);
  const { epoch } = await acquirePortal(pool, portalId);
  owner = { pool, portalId, epoch, leaseCte: LEASE_CTE };
  const minutesAgo = new Date(Date.now() - 600_000);
  const kinds = STATES.flatMap((state) =>
    ["ENROLL", "CHECK_ENROLLMENT"].flatMap((kind) =>
      [true, false].map((isHeld) => ({ portalId, contactId: CONTACT, state, kind, isHeld })),
    ),
  );
  const seeds = [...kinds, ...kinds.map((seed) => ({ ...seed, senderUserId: 7n }))];
  await seedExecutions(
    db.database,
    seeds.map((seed) => ({ ...seed, deadlineAt: minutesAgo, dueAt: minutesAgo })),
  );
  await pool.query(
    `UPDATE executions SET hold_ends_at = now() - interval '1 minute', decided_at = now() - interval '1 hour',
            completion_doubted_at = CASE WHEN sender_user_id IS NOT NULL THEN now() END WHERE portal_id = $1`,
    [portalId],
  );
});

const idsIn = async (...states: ExecutionState[]): Promise<bigint[]> => {
  const rows = await db.database.prisma.execution.findMany({
    where: { portalId, state: { in: states } },
    orderBy: { id: "asc" },
  });
  return rows.map(({ id }) => id);
};

const RESULTS: Readonly<Record<string, Result>> = {
  QUEUED: { to: "QUEUED", delayMs: 0 },
  UNCERTAIN: { to: "UNCERTAIN", delayMs: 0 },
  WATCHING: { to: "WATCHING", delayMs: 0 },
  DECIDED: { to: "DECIDED", outcome: failed("BLOCKED") },
};

async function writeEveryFinding(): Promise<void> {
  const { pool, epoch } = owner;
  await pool.query(`UPDATE executions SET epoch = $2 WHERE portal_id = $1`, [portalId, epoch]);
  const claimed = { ATTEMPTING: await idsIn("ATTEMPTING"), UNCERTAIN: await idsIn("UNCERTAIN") };
  for (const from of ["ATTEMPTING", "UNCERTAIN"] as const) {
    const ids = claimed[from];
    const findings = FINDING_MOVES[from].map((to, index) => ({
      ...{ id: ids[index] as bigint, from, result: RESULTS[to] as Result },
    }));
    expect(await writeFindings(owner, findings)).toBe(findings.length);
  }
}

async function writeEveryLook(): Promise<void> {
  const dueAt = new Date();
  const [queued, decided, watching] = await idsIn("WATCHING");
  const execution = (id: bigint | undefined) =>
    ({ id, contactId: CONTACT, dueAt }) as unknown as WatchedExecution;
  await writeLooks(owner, [
    { execution: execution(queued), result: { to: "QUEUED" } },
    { execution: execution(decided), result: { to: "DECIDED", outcome: failed("BLOCKED") } },
    { execution: execution(watching), result: { to: "WATCHING", dueAt, seen: {} } },
  ]);
}

async function writeEveryCompletion(): Promise<void> {
  const undoubted = await db.database.prisma.execution.findMany({
    where: { portalId, state: "DECIDED", completionDoubtedAt: null },
  });
  const ids = undoubted.map(({ id }) => id);
  await writeCompletionResults(owner, [
    { id: ids[0] as bigint, to: "COMPLETED" },
    { id: ids[1] as bigint, to: "COMPLETION_REFUSED" },
    { id: ids[2] as bigint, to: "COMPLETION_ABANDONED" },
    { id: ids[3] as bigint, to: "DECIDED", delayMs: 0, problem: "again" },
  ]);
}

async function reopenAll(): Promise<void> {
  const rows = await db.database.prisma.execution.findMany({ where: { portalId } });
  await reopenCompletions(owner.pool, rows);
}

async function cancelAll(): Promise<void> {
  const client = await owner.pool.connect();
  try {
    await applyAction(client, "CANCEL", { portalId, ids: await idsIn(...STATES) });
  } finally {
    client.release();
  }
}

/** Each file with a statement that sets the state of executions, what it declares, and how the statement is run. */
const STATEMENTS: readonly [file: string, moves: Declared, run: () => Promise<unknown>][] = [
  ["domain/executions/claim.ts", CLAIM_MOVES, () => claimDue(owner, 100)],
  ["domain/executions/claim.ts", RECOVERY_MOVES, () => recoverAttempts(owner, { isCrash: true })],
  ["domain/executions/write-back.ts", FINDING_MOVES, writeEveryFinding],
  ["domain/executions/watch.ts", LOOK_MOVES, writeEveryLook],
  ["domain/executions/completions.ts", COMPLETION_MOVES, writeEveryCompletion],
  ["domain/executions/overdue/expire.ts", EXPIRY_MOVES, () => expirePastDeadline(owner, "DEADLINE_EXCEEDED")],
  ["domain/executions/accept/repeated-calls.ts", REOPENING_MOVES, reopenAll],
  ["domain/executions/mark-all-uncertain.ts", RESTORE_MOVES, () => markAllUncertain(owner.pool)],
  ["domain/history/admin-actions.ts", CANCEL_MOVES, cancelAll],
  [
    "domain/contacts/contact-statements.ts",
    ERASURE_MOVES,
    () => applyContactChanges(owner.pool, [{ kind: "erased", portalId, contactId: CONTACT }]),
  ],
];

/** As "QUEUED → DECIDED", without those that stay where they are. */
const changesOf = (moves: Declared): string[] =>
  STATES.flatMap((from) => (moves[from] ?? []).filter((to) => to !== from).map((to) => `${from} → ${to}`));

test.each(STATEMENTS)("a statement of %s makes the moves it declares, and no other", async (...given) => {
  const [, moves, run] = given;
  await run();
  const { rows } = await owner.pool.query<{ move: string }>(
    `SELECT DISTINCT from_state || ' → ' || to_state AS move FROM made_moves WHERE portal_id = $1`,
    [portalId],
  );
  expect(rows.map(({ move }) => move).sort()).toEqual(changesOf(moves).sort());
});

test.each(STATEMENTS)(
  "a statement of %s tells webhooks of each enrollment it decides, once",
  async (...given) => {
    const [, , run] = given;
    await run();
    const decided = await owner.pool.query("SELECT id FROM decisions WHERE portal_id = $1 ORDER BY id", [
      portalId,
    ]);
    const told = await owner.pool.query(
      "SELECT execution_id AS id FROM webhook_deliveries WHERE portal_id = $1 ORDER BY execution_id",
      [portalId],
    );
    expect(told.rows).toEqual(decided.rows);
  },
);

test("the table holds exactly what statements declare, besides what is done to a restored database", () => {
  const declared = STATEMENTS.filter(([, moves]) => moves !== RESTORE_MOVES);
  expect([...new Set(declared.flatMap(([, moves]) => changesOf(moves)))].sort()).toEqual(
    changesOf(MOVES).sort(),
  );
});

test("no other file sets the state of an execution", () => {
  const source = join(import.meta.dirname, "../../../src");
  const setsState =
    /UPDATE executions\b(?:(?!UPDATE )[\s\S])*?SET(?:(?!WHERE|FROM |`)[\s\S])*?\bstate = (?!ANY)/;
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("simulator"))
    .filter((file) => setsState.test(readFileSync(join(source, file), "utf8")));
  expect(files.sort()).toEqual([...new Set(STATEMENTS.map(([file]) => file))].sort());
});
