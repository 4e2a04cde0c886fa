import { afterAll, beforeAll } from "@jest/globals";
import type { Database } from "#platform/db/client.js";
import { createTestDatabase, type TestDatabase } from "./database.js";

/** The states in which an execution waits for a time of its own. */
export const DUE_STATES = ["QUEUED", "UNCERTAIN", "WATCHING", "DECIDED"];

export let database: Database;

/** A database for all tests of a file, with one connected portal. */
export function useDueTimes(portalId: bigint): void {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
    database = db.database;
    await database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
  });

  afterAll(() => db.drop());
}

/** In how many minutes each execution is due, by its callback id. */
export async function minutesUntilDue(): Promise<Record<string, number>> {
  const { rows } = await database.pool.query<{ callback_id: string; minutes: number }>(
    `SELECT callback_id, round(extract(epoch FROM due_at - now()) / 60)::int AS minutes FROM executions ORDER BY id`,
  );
  return Object.fromEntries(rows.map(({ callback_id: id, minutes }) => [id, minutes]));
}
