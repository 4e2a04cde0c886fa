import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Pool, QueryConfig } from "pg";
import { SenderLedger } from "#domain/senders/sender-ledger.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const OWNERS = Array.from({ length: 64 }, (_, index) => BigInt(700 + index));

describe("what senders have sent, asked for by 64 contacts of 64 owners at once", () => {
  let db: TestDatabase;
  let statements = 0;
  let ledger: SenderLedger;

  beforeAll(async () => {
    db = await createTestDatabase();
    const { pool } = db.database;
    const query = (config: QueryConfig): unknown => {
      statements += 1;
      return pool.query(config);
    };
    ledger = new SenderLedger({ pool: { query } as Pool, portalId: 8_809n, now: () => new Date() });
  });
  afterAll(() => db.drop());

  test("is read by one statement", async () => {
    await Promise.all(OWNERS.map((userId) => ledger.load([userId])));
    expect(statements).toBe(1);
    expect(OWNERS.map((userId) => ledger.usedBy(userId))).toEqual(OWNERS.map(() => 0));
  });

  test("and not again for those who are known", async () => {
    await ledger.load(OWNERS);
    expect(statements).toBe(1);
  });
});
