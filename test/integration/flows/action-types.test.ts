import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Pool, QueryConfig } from "pg";
import { ActionTypeNotes, readActionTypes } from "#domain/flows/action-types.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

let db: TestDatabase;
let writes: unknown[][];
let news: bigint[];
let faults: unknown[];

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(async () => {
  [writes, news, faults] = [[], [], []];
  await db.database.pool.query("TRUNCATE action_types");
});

/** One process's notes; what it writes is counted. */
function notes({ isBroken = () => false }: { isBroken?: () => boolean } = {}): ActionTypeNotes {
  const pool = {
    query(statement: QueryConfig) {
      writes.push(statement.values ?? []);
      return isBroken() ? Promise.reject(new Error("no storage")) : db.database.pool.query(statement);
    },
  } as unknown as Pool;
  return new ActionTypeNotes({
    pool,
    onNew: (portalId) => news.push(portalId),
    onFault: (fault) => faults.push(fault),
  });
}

async function until(holds: () => boolean): Promise<void> {
  const endsAt = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > endsAt) throw new Error("it did not come to that");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("HubSpot's numbers of our actions", () => {
  test("are learned from calls: a thousand of the same write once", async () => {
    const heard = notes();
    for (let call = 0; call < 1_000; call += 1) heard.heard(5n, "ENROLL", { id: "170", version: 3 });
    await until(() => news.length > 0);
    expect([writes.length, news]).toEqual([1, [5n]]);
    expect((await readActionTypes(db.database.pool)).kinds).toEqual(new Map([["1-170", "ENROLL"]]));
  });

  test("are news once: another version, or another process that hears the same, is not news", async () => {
    const [one, other] = [notes(), notes()];
    one.heard(5n, "ENROLL", { id: "170", version: 3 });
    await until(() => news.length === 1);
    one.heard(6n, "ENROLL", { id: "170", version: 4 });
    other.heard(7n, "ENROLL", { id: "170", version: 3 });
    other.heard(8n, "CHECK_ENROLLMENT", { id: "171", version: 1 });
    await until(() => news.length === 2);
    expect([news, writes.length]).toEqual([[5n, 8n], 4]);
    const { rows } = await db.database.pool.query(
      "SELECT definition_id, version, kind FROM action_types ORDER BY 1, 2",
    );
    expect(rows).toEqual([
      { definition_id: "170", version: 3, kind: "ENROLL" },
      { definition_id: "170", version: 4, kind: "ENROLL" },
      { definition_id: "171", version: 1, kind: "CHECK_ENROLLMENT" },
    ]);
  });

  test("are written by the next call if storage failed", async () => {
    let isBroken = true;
    const heard = notes({ isBroken: () => isBroken });
    heard.heard(5n, "ENROLL", { id: "170", version: 3 });
    await until(() => faults.length === 1);
    isBroken = false;
    heard.heard(5n, "ENROLL", { id: "170", version: 3 });
    await until(() => news.length === 1);
  });

  test("change their fingerprint only with what they say", async () => {
    const heard = notes();
    const before = (await readActionTypes(db.database.pool)).fingerprint;
    heard.heard(5n, "ENROLL", { id: "170", version: 3 });
    await until(() => news.length === 1);
    const known = (await readActionTypes(db.database.pool)).fingerprint;
    expect(known).not.toBe(before);
    await db.database.pool.query("UPDATE action_types SET last_seen_at = now() + interval '1 day'");
    expect((await readActionTypes(db.database.pool)).fingerprint).toBe(known);
  });
});
