import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createAcceptor } from "#domain/executions/accept/accept.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTAL = 6_101n;

describe("calls stored by one commit", () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
      PORTAL,
    ]);
    await db.database.pool.query(
      `ALTER TABLE executions ADD CONSTRAINT no_thirteen CHECK (contact_id <> '13')`,
    );
  });

  afterAll(() => db.drop());

  test("one that the database refuses fails alone", async () => {
    const accept = createAcceptor({ pool: db.database.pool, deadlineHours: 144, onStored: () => undefined });
    const calls = Array.from({ length: 40 }, (_, index) =>
      accept({
        portalId: PORTAL,
        kind: "ENROLL" as const,
        callbackId: `ap-shared-${index}`,
        contactId: String(index),
        workflowId: undefined,
        sequenceId: "1",
        request: {},
      }),
    );
    const results = await Promise.allSettled(calls);
    const failed = results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
    expect(failed).toEqual([13]);
    const { rows } = await db.database.pool.query(`SELECT FROM executions WHERE portal_id = $1`, [PORTAL]);
    expect(rows).toHaveLength(39);
  });
});
