import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Pool, PoolClient } from "pg";
import { GrantRevoked, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { createLogger } from "#platform/observability/logger.js";
import { inTransaction } from "#platform/db/transaction.js";
import { createCipher } from "#domain/vault/cipher.js";
import { giveUpGrant, revokeGivenUpGrants } from "#domain/vault/revocations.js";
import { sealTokens } from "#domain/vault/token-seals.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { KEYS } from "../../support/site.js";

const portalId = 73_001n;
const cipher = createCipher(KEYS);
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(async () => {
  await db.database.prisma.grantRevocation.deleteMany();
});

async function giveUp(...refreshTokens: string[]): Promise<void> {
  await inTransaction(db.database.pool, async (client) => {
    for (const refreshToken of refreshTokens) {
      const grant = { accessToken: "a", refreshToken, expiresInSeconds: 1_800 };
      const { refreshTokenSealed } = sealTokens(cipher, portalId, { grant, grantedAtMs: 0 });
      await giveUpGrant(client, { portalId, refreshTokenSealed });
    }
  });
}

/** Lets the time pass after which each has its turn. */
const passTime = () =>
  db.database.pool.query("UPDATE grant_revocations SET due_at = now() - interval '1 millisecond'");
const dueInMs = async () => {
  const [row] = await db.database.prisma.grantRevocation.findMany();
  return row === undefined ? undefined : row.dueAt.getTime() - Date.now();
};

function revoke(
  revokeGrant: (refreshToken: string) => Promise<void>,
  by: Pick<Pool, "query"> = db.database.pool,
) {
  return revokeGivenUpGrants({
    pool: by as Pool,
    cipher,
    revokeGrant,
    logger: createLogger({ level: "silent" }),
  });
}

/** A connection to which several statements are given at once, and which takes them one after the other. */
function oneByOne(client: PoolClient): Pick<PoolClient, "query"> {
  let last: Promise<unknown> = Promise.resolve();
  const query = (...statement: unknown[]): Promise<unknown> =>
    (last = last.then(() => client.query(...(statement as [string]))));
  return { query } as unknown as Pick<PoolClient, "query">;
}

test("a grant that is given up is revoked a minute later, when no request uses it anymore, and once", async () => {
  const revoked: string[] = [];
  const note = (refreshToken: string) => Promise.resolve(void revoked.push(refreshToken));
  await giveUp("old");
  await revoke(note);
  expect(revoked).toEqual([]);
  expect(await dueInMs()).toBeGreaterThan(50 * SECOND);
  expect(await dueInMs()).toBeLessThanOrEqual(60 * SECOND);
  await passTime();
  await revoke(note);
  await revoke(note);
  expect(revoked).toEqual(["old"]);
  expect(await dueInMs()).toBeUndefined();
});

test("two processes revoke different ones, and neither waits for the other", async () => {
  const names = Array.from({ length: 25 }, (_, index) => `grant-${index}`);
  await giveUp(...names);
  await passTime();
  const [theirs, ours]: string[][] = [[], []];
  const client = await db.database.pool.connect();
  try {
    // Claimed by a process that has not committed yet.
    await client.query("BEGIN");
    await revoke((token) => Promise.resolve(void theirs?.push(token)), oneByOne(client));
    await revoke((token) => Promise.resolve(void ours?.push(token)));
    await client.query("COMMIT");
  } finally {
    client.release();
  }
  expect([theirs?.length, ours?.length]).toEqual([20, 5]);
  expect([...(theirs ?? []), ...(ours ?? [])].sort()).toEqual(names.sort());
});

test("one that HubSpot does not answer for is tried again, ever later, for about two weeks", async () => {
  const fail = () => Promise.reject(new HubSpotUnavailable("HubSpot answered 503"));
  await giveUp("old");
  await passTime();
  await revoke(fail);
  expect(await dueInMs()).toBeGreaterThan(50 * SECOND);
  expect(await dueInMs()).toBeLessThanOrEqual(60 * SECOND);
  await db.database.pool.query(
    "UPDATE grant_revocations SET tries = 58, due_at = now() - interval '1 millisecond'",
  );
  await revoke(fail);
  expect(await dueInMs()).toBeGreaterThan(5.9 * HOUR);
  expect(await dueInMs()).toBeLessThanOrEqual(6 * HOUR);
  await passTime();
  await revoke(fail);
  expect(await dueInMs()).toBeUndefined();
});

test("one that HubSpot does not know anymore is done with, and one under way is kept from others for a minute", async () => {
  await giveUp("old");
  await passTime();
  let kept: number | undefined;
  await revoke(async () => {
    kept = await dueInMs();
    throw new GrantRevoked("unknown");
  });
  expect(kept).toBeGreaterThan(50 * SECOND);
  expect(await dueInMs()).toBeUndefined();
});
