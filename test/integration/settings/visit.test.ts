import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Request } from "express";
import { identifyVisit } from "#web/settings/session/visit.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTAL = 4_455_667n;
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.pool.query(
    `INSERT INTO portals (portal_id, status, scopes, authorized_by_user_id, updated_at) VALUES ($1, 'CONNECTED', '{oauth}', 7, now())`,
    [PORTAL],
  );
});
afterAll(() => db.drop());

async function visitOf(userId: bigint, id = "s-1") {
  const session = { portalId: PORTAL, userId, userEmail: "ada@acme.example", id, signedInAt: new Date() };
  const sessions = { read: () => session, open: () => undefined, clear: () => undefined };
  const options = { database: db.database, sessions, renewUserList: () => undefined };
  return identifyVisit(options as unknown as Parameters<typeof identifyVisit>[0], {} as Request);
}

test("who is asking is found out by one statement", async () => {
  let statements = 0;
  const count = (): void => void (statements += 1);
  db.database.pool.on("acquire", count);
  const visit = await visitOf(7n);
  db.database.pool.off("acquire", count);
  expect(visit).toMatchObject({
    kind: "member",
    role: "admin",
    portal: {
      portalId: PORTAL,
      isConnected: true,
      scopes: ["oauth"],
      connectedSince: expect.any(Date),
    },
    userList: { state: "none" },
  });
  expect(statements).toBe(1);
});

test("whoever may not administer, whose session was ended, or whose account is unknown gets no further", async () => {
  expect(await visitOf(8n)).toMatchObject({ kind: "not-admitted" });
  await db.database.pool.query(`INSERT INTO revoked_sessions VALUES ('s-2', now() + interval '1 day')`);
  expect(await visitOf(7n, "s-2")).toEqual({ kind: "stranger" });
  await db.database.pool.query(`UPDATE portals SET status = 'DISCONNECTED'`);
  expect(await visitOf(7n)).toMatchObject({ kind: "disconnected" });
  await db.database.pool.query(`DELETE FROM portals`);
  expect(await visitOf(7n)).toEqual({ kind: "stranger" });
});
