import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import { deletePreset, savePreset } from "#domain/policy/preset-store.js";
import { createRotation, deleteRotation, saveRotation } from "#domain/policy/rotation-store.js";
import { markSenders } from "#domain/policy/mark-senders.js";
import { findSender, saveSender } from "#domain/policy/sender-store.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { adminOf } from "../../support/actors.js";

const ANN = { userId: 7n, name: "Ann Lee" };
const MEMBERS = [{ userId: 7n, weight: 1 }];

let db: TestDatabase;
let portalId = 72_000n;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(async () => {
  portalId += 1n;
  for (const id of [portalId, portalId + 100_000n])
    await prisma().portal.create({
      data: { portalId: id, status: "CONNECTED" },
    });
});

const prisma = () => db.database.prisma;
const admin = () => adminOf(portalId, { userId: 1n, userEmail: "ada@acme.example" });
const entries = () => prisma().auditEntry.count({ where: { portalId } });

async function makePreset(name: string, account = portalId): Promise<bigint> {
  const draft = { name, policy: INITIAL_POLICY };
  const made = await savePreset(db.database, adminOf(account), { draft, saved: undefined });
  return made.kind === "saved" ? made.presetId : 0n;
}

async function makeRotation(name: string): Promise<bigint> {
  const draft = { name, keepsSender: false, members: MEMBERS };
  const made = await createRotation(db.database, admin(), draft);
  return made.kind === "created" ? made.rotationId : 0n;
}

async function untilOneWaitsForALock(): Promise<void> {
  const endsAt = Date.now() + 10_000;
  for (;;) {
    const { rowCount } = await db.database.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rowCount === 1) return;
    if (Date.now() > endsAt) throw new Error("nobody waits");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What each save answers with its kind alone. */
const kindOf = (outcome: unknown): unknown =>
  typeof outcome === "object" && outcome !== null && "kind" in outcome ? outcome.kind : outcome;

const choicesWith = async (dailyCap: number) => ({
  ...(await findSender(db.database, portalId, ANN.userId)).choices,
  dailyCap,
});

/** A thing that two admins look at, and what each of them then sends. */
type Begin = () => Promise<(nth: number) => Promise<unknown>>;

const saves: Record<string, { begin: Begin; won: unknown; lost: unknown }> = {
  "a sender": {
    begin: async () => {
      const [one, other] = [await choicesWith(11), await choicesWith(12)];
      const save = (choices: typeof one) =>
        saveSender(db.database, admin(), {
          sender: ANN,
          choices,
          version: 0,
        });
      return (nth) => save(nth === 0 ? one : other);
    },
    won: "saved",
    lost: "changed-meanwhile",
  },
  "the account's policy": {
    begin: () =>
      Promise.resolve((nth) =>
        savePortalPolicy(db.database, admin(), {
          policy: { maxHoldDays: 10 + nth },
          shown: { version: 0 },
        }),
      ),
    won: "saved",
    lost: "changed-meanwhile",
  },
  "a preset": {
    begin: async () => {
      const saved = { presetId: await makePreset("Outbound"), version: 1 };
      return (nth) => {
        const draft = { name: `Outbound ${nth}`, policy: INITIAL_POLICY };
        return savePreset(db.database, admin(), { draft, saved });
      };
    },
    won: "saved",
    lost: "changed-meanwhile",
  },
  "a rotation": {
    begin: async () => {
      const rotationId = await makeRotation("DACH");
      return (nth) => {
        const draft = {
          name: "DACH",
          keepsSender: false,
          members: [{ userId: 7n, weight: 2 + nth }],
        };
        return saveRotation(db.database, admin(), {
          rotationId,
          draft,
          version: 1,
        });
      };
    },
    won: "saved",
    lost: "changed-meanwhile",
  },
  "the default preset": {
    begin: async () => {
      const ids = [await makePreset("One"), await makePreset("Other")];
      return (nth) =>
        savePortalPolicy(db.database, admin(), {
          policy: { defaultPresetId: ids[nth] ?? null },
          shown: { presetVersion: 1, defaultPresetId: null },
        });
    },
    won: "saved",
    lost: "changed-meanwhile",
  },
};

describe("two admins who save the same at the same moment", () => {
  test.each(Object.entries(saves))(
    "%s: one wins, the other is told, and one change is noted",
    async (_what, { begin, won, lost }) => {
      const save = await begin();
      const before = await entries();
      const outcomes = (await Promise.all([save(0), save(1)])).map(kindOf);
      expect(outcomes).toHaveLength(2);
      expect(outcomes).toEqual(expect.arrayContaining([won, lost]));
      expect(await entries()).toBe(before + 1);
    },
  );

  test.each<[what: string, table: string, save: () => Promise<unknown>, lost: unknown]>([
    [
      "the account's policy",
      "portal_settings",
      () => savePortalPolicy(db.database, admin(), { policy: { maxHoldDays: 9 }, shown: { version: 0 } }),
      "changed-meanwhile",
    ],
    [
      "the mark of a person",
      "senders",
      () => {
        const senders = [{ ...ANN, version: 0 }];
        return markSenders(db.database, admin(), { senders, isAllowed: true });
      },
      [{ sender: { ...ANN, version: 0 }, isAllowed: null }],
    ],
  ])("%s: the second waits for the first, and then knows of it", async (...[, table, save, lost]) => {
    await prisma().portalSettings.create({ data: { portalId } });
    await prisma().senderSettings.create({ data: { portalId, userId: ANN.userId, windowDays: [] } });
    const first = await db.database.pool.connect();
    try {
      await first.query("BEGIN");
      await first.query(`SELECT FROM ${table} WHERE portal_id = $1 FOR UPDATE`, [portalId]);
      const second = save();
      await untilOneWaitsForALock();
      await first.query(`UPDATE ${table} SET version = version + 1 WHERE portal_id = $1`, [portalId]);
      await first.query("COMMIT");
      expect(await second).toEqual(lost);
    } finally {
      first.release();
    }
    expect(await entries()).toBe(0);
  });

  test("the marks of two people, in whatever order: one wins and neither waits for the other forever", async () => {
    const senders = [7n, 8n].map((userId) => ({
      userId,
      name: `User ${userId}`,
      version: 0,
    }));
    const mark = (isAllowed: boolean, listed: typeof senders) =>
      markSenders(db.database, admin(), { senders: listed, isAllowed });
    const conflicts = await Promise.all([mark(true, senders), mark(false, senders.toReversed())]);
    expect(conflicts.map(({ length }) => length).sort()).toEqual([0, 2]);
    expect(await entries()).toBe(2);
  });
});

describe("what another admin has saved since it was shown", () => {
  test("is not deleted, and no entry says that it was", async () => {
    const [presetId, rotationId] = [await makePreset("Outbound"), await makeRotation("DACH")];
    const before = await entries();
    const stale = { version: 0 };
    expect(await deletePreset(db.database, admin(), { presetId, ...stale })).toBe("changed-meanwhile");
    expect(await deleteRotation(db.database, admin(), { rotationId, ...stale })).toEqual({
      kind: "changed-meanwhile",
    });
    expect(await prisma().preset.count({ where: { portalId } })).toBe(1);
    expect(await prisma().rotation.count({ where: { portalId } })).toBe(1);
    expect(await entries()).toBe(before);
  });
});

describe("what belongs to another account", () => {
  test("is neither saved, nor deleted, nor made the default by its id", async () => {
    const other = portalId + 100_000n;
    const presetId = await makePreset("Theirs", other);
    const before = await prisma().preset.findMany({
      where: { portalId: other },
    });
    const draft = { name: "Ours", policy: INITIAL_POLICY };
    const saved = { presetId, version: 1 };
    expect(await savePreset(db.database, admin(), { draft, saved })).toEqual({
      kind: "changed-meanwhile",
    });
    expect(await deletePreset(db.database, admin(), saved)).toBe("deleted");
    const change = { policy: { defaultPresetId: presetId }, shown: { defaultPresetId: null } };
    expect(await savePortalPolicy(db.database, admin(), change)).toBe("unknown-preset");
    expect(await prisma().preset.findMany({ where: { portalId: other } })).toEqual(before);
    expect(await entries()).toBe(0);
  });
});
