import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ChangeFence } from "#domain/enrollments/change-fence.js";
import type { Enrollment } from "#domain/enrollments/enrollment.js";
import { listEnrollments } from "#domain/enrollments/list-enrollments.js";
import type { ListPlace } from "#domain/enrollments/list-place.js";
import { readEnrollments } from "#domain/enrollments/read-enrollments.js";
import { untilBehind } from "../../support/change-fence.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const PORTAL = 7_101n;
const ROWS = 120;
const WRITERS = 5;
let db: TestDatabase;
let ids: bigint[];

beforeAll(async () => {
  db = await createTestDatabase({ poolSize: 20 });
  await seedExecutions(
    db.database,
    Array.from({ length: ROWS }, () => ({ portalId: PORTAL })),
  );
  const rows = await db.database.prisma.execution.findMany({ orderBy: { id: "asc" } });
  ids = rows.map(({ id }) => id);
});

afterAll(() => db.drop());

/** A program of the customer's: what it has, and from where it goes on. */
function createSync() {
  const fence = new ChangeFence();
  const copy = new Map<string, Enrollment>();
  let updatedAfter = new Date(0);
  const repeated: string[] = [];
  return {
    copy,
    repeated,
    /** A round with all that has been committed. */
    async upToNow(): Promise<void> {
      await untilBehind(fence, db.database.pool);
      await this.round();
    },
    /** One round, by small pages. */
    async round(): Promise<void> {
      let after: ListPlace | undefined;
      do {
        const { enrollments, next } = await listEnrollments({ pool: db.database.pool, fence }, PORTAL, {
          filter: { updatedAfter },
          sort: "updatedAt",
          limit: 7,
          after,
        });
        for (const enrollment of enrollments) {
          if (copy.get(enrollment.id)?.updatedAt === enrollment.updatedAt) repeated.push(enrollment.id);
          copy.set(enrollment.id, enrollment);
        }
        const last = enrollments.at(-1);
        if (next === undefined && last !== undefined) updatedAfter = new Date(last.updatedAt);
        after = next;
      } while (after !== undefined);
    },
  };
}

/** Changes some rows in one transaction and holds it open for a moment, so that commits come out of order. */
async function change(part: number, round: number): Promise<void> {
  const client = await db.database.pool.connect();
  try {
    await client.query("BEGIN");
    const own = ids.filter((_, index) => index % WRITERS === part && (index + round) % 3 > 0);
    for (const id of own.slice(0, 12)) {
      await client.query(
        `UPDATE executions SET due_at = due_at + interval '1 second', sender_user_id = $3 WHERE portal_id = $1 AND id = $2`,
        [PORTAL, id, round],
      );
      if (Number(id) % 5 === 0) await client.query(`SELECT pg_sleep($1)`, [((part * 7 + round) % 4) / 200]);
    }
    await client.query(round % 7 === 6 ? "ROLLBACK" : "COMMIT");
  } finally {
    client.release();
  }
}

test("a program that syncs while several transactions commit out of order ends with the final rows, none of them repeated", async () => {
  const sync = createSync();
  let isWorking = true;
  const work = Promise.all(
    Array.from({ length: WRITERS }, async (_, part) => {
      for (let round = 0; round < 14; round += 1) await change(part, round);
    }),
  ).finally(() => (isWorking = false));
  const stillWorking = (): boolean => isWorking;
  while (stillWorking()) await sync.round();
  await work;
  await sync.upToNow();
  const final = await readEnrollments(db.database.pool, PORTAL, ids);
  expect([...sync.copy.values()].toSorted(byId)).toEqual([...final.values()].toSorted(byId));
  expect(sync.repeated).toEqual([]);
});

test("a change that was written first and committed last holds back later ones, and is not missed", async () => {
  const sync = createSync();
  await sync.upToNow();
  const early = await db.database.pool.connect();
  const [first, second] = ids as [bigint, bigint];
  const touch = `UPDATE executions SET due_at = due_at + interval '1 minute' WHERE portal_id = $1 AND id = $2`;
  await early.query("BEGIN");
  await early.query(touch, [PORTAL, first]);
  await db.database.pool.query(touch, [PORTAL, second]);
  const before = [...sync.copy.values()];
  await sync.round();
  expect([...sync.copy.values()]).toEqual(before);
  await early.query("COMMIT");
  early.release();
  await sync.upToNow();
  const final = await readEnrollments(db.database.pool, PORTAL, [first, second]);
  expect([sync.copy.get(String(first)), sync.copy.get(String(second))]).toEqual([
    final.get(first),
    final.get(second),
  ]);
});

test("delivering a completion is no change of an enrollment", async () => {
  const [id] = ids as [bigint];
  const { pool } = db.database;
  await pool.query(
    `UPDATE executions SET state = 'DECIDED', enrollment_status = 'ENROLLED', decided_at = now() WHERE portal_id = $1 AND id = $2`,
    [PORTAL, id],
  );
  const before = await readEnrollments(pool, PORTAL, [id]);
  await pool.query(
    `UPDATE executions SET state = 'COMPLETED', completed_at = now(), due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND id = $2`,
    [PORTAL, id],
  );
  expect(await readEnrollments(pool, PORTAL, [id])).toEqual(before);
});

function byId(one: Enrollment, other: Enrollment): number {
  return Number(one.id) - Number(other.id);
}
