import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Pool, QueryConfig, QueryResult } from "pg";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { PolicyMemory } from "#domain/senders/stored/policy-memory.js";
import {
  covers,
  NEEDS_NOTHING,
  readPortalPolicy,
  type Needs,
  type PortalPolicy,
} from "#domain/senders/portal-policy.js";
import { saveRotation } from "#domain/policy/rotation-store.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { adminOf } from "../../support/actors.js";

const PORTAL = 8_808n;
const PRESETS = 50;
const SENDERS = 200;
const domains = Array.from({ length: 1_000 }, (_, index) => `domain-${index}.example`);
const policy = { ...INITIAL_POLICY, suppression: { domains, property: null } };

describe(`the policy of a portal with ${SENDERS} senders and ${PRESETS} presets, read for each contact that comes`, () => {
  let db: TestDatabase;
  const memory = new PolicyMemory();
  let sentBytes = 0;
  let pool: Pool;
  let first: PortalPolicy;
  let needs: Needs;

  beforeAll(async () => {
    db = await createTestDatabase();
    const { prisma } = db.database;
    await prisma.portal.create({ data: { portalId: PORTAL, status: "CONNECTED" } });
    await prisma.preset.createMany({
      data: Array.from({ length: PRESETS }, (_, index) => ({
        portalId: PORTAL,
        name: `Preset ${index}`,
        policy,
      })),
    });
    await prisma.senderSettings.createMany({
      data: Array.from({ length: SENDERS }, (_, index) => ({ portalId: PORTAL, userId: BigInt(index + 1) })),
    });
    // Counts what the database sends; everything else is the pool's.
    const query = async (config: QueryConfig): Promise<QueryResult> => {
      const result = await db.database.pool.query<Record<string, unknown>>(config);
      sentBytes += JSON.stringify(result.rows).length;
      return result;
    };
    pool = { query } as unknown as Pool;
    const presetIds = await prisma.preset.findMany({ select: { presetId: true } });
    needs = { ...NEEDS_NOTHING, presets: new Set(presetIds.map(({ presetId }) => String(presetId))) };
    first = await readPortalPolicy(pool, PORTAL, { memory, needs });
  });

  afterAll(() => db.drop());

  async function readAgain(): Promise<PortalPolicy> {
    sentBytes = 0;
    return readPortalPolicy(pool, PORTAL, { memory });
  }

  test("brings what has not changed only once, and parses it only once", async () => {
    expect(sentBytes).toBeGreaterThan(1_000_000);
    expect([...first.presets.values()].map((preset) => preset.policy)).toEqual(Array(PRESETS).fill(policy));
    const again = await readAgain();
    expect(sentBytes).toBeLessThan(50_000);
    expect([...again.presets.keys()]).toEqual([...first.presets.keys()]);
    for (const [id, preset] of again.presets) expect(preset.policy).toBe(first.presets.get(id)?.policy);
    expect(again.senders.size).toBe(SENDERS);
    for (const [id, sender] of again.senders) expect(sender).toBe(first.senders.get(id));
  });

  test("brings what was changed, by whomever, and forgets what was deleted", async () => {
    const [changed = "", deleted = ""] = first.presets.keys();
    const query = (text: string, values: unknown[]) => db.database.pool.query(text, values);
    await query(
      `UPDATE presets SET policy = jsonb_set(policy, '{cooldown,days}', '9') WHERE portal_id = $1 AND preset_id = $2`,
      [PORTAL, changed],
    );
    await query(`DELETE FROM presets WHERE portal_id = $1 AND preset_id = $2`, [PORTAL, deleted]);
    await query(`UPDATE senders SET daily_cap = 3 WHERE portal_id = $1 AND user_id = 7`, [PORTAL]);
    await query(`DELETE FROM senders WHERE portal_id = $1 AND user_id = 8`, [PORTAL]);
    const again = await readAgain();
    expect(sentBytes).toBeLessThan(100_000);
    expect(again.presets.get(changed)?.policy?.cooldown.days).toBe(9);
    expect(again.presets.has(deleted)).toBe(false);
    expect(again.senders.get(7n)?.dailyCap).toBe(3);
    expect(again.senders.has(8n)).toBe(false);
    expect(again).toMatchObject({ presets: { size: PRESETS - 1 }, senders: { size: SENDERS - 1 } });
  });

  test("brings the members of a rotation to its reader again only once an admin has changed them", async () => {
    const { prisma } = db.database;
    const members = {
      create: Array.from({ length: SENDERS }, (_, index) => ({ userId: BigInt(index + 1) })),
    };
    const { rotationId } = await prisma.rotation.create({
      data: { portalId: PORTAL, name: "Everybody", members },
    });
    const needs = { ...NEEDS_NOTHING, rotations: new Set([String(rotationId)]) };
    const { rotations } = await readPortalPolicy(pool, PORTAL, { memory, needs });
    expect(rotations.get(String(rotationId))?.members).toHaveLength(SENDERS);
    // What the reader itself stores of whose turn it is.
    await prisma.rotationMember.updateMany({ where: { portalId: PORTAL }, data: { picks: 1 } });
    const again = await readPortalPolicy(pool, PORTAL, { memory, rotations, needs });
    expect(again.rotations.get(String(rotationId))).toBe(rotations.get(String(rotationId)));
    const draft = { name: "Everybody", keepsSender: false, members: [{ userId: 7n, weight: 2 }] };
    await saveRotation(db.database, adminOf(PORTAL), { rotationId, draft, version: 0 });
    const changed = await readPortalPolicy(pool, PORTAL, { memory, rotations, needs });
    expect(changed.rotations.get(String(rotationId))?.members).toMatchObject([{ userId: 7n, weight: 2 }]);
  });

  test("brings no presets and rotations but those needed and the default, and tells which were not read", async () => {
    const { prisma } = db.database;
    const { rotationId } = await prisma.rotation.create({ data: { portalId: PORTAL, name: "Unread" } });
    const [preset] = await prisma.preset.findMany({ take: 1, select: { presetId: true } });
    const fresh = await readPortalPolicy(pool, PORTAL);
    expect(fresh).toMatchObject({ presets: { size: 0 }, rotations: { size: 0 }, defaultPreset: undefined });
    const needed = {
      presets: new Set([String(preset?.presetId), "999"]),
      rotations: new Set([String(rotationId)]),
    };
    expect(covers(fresh, needed)).toBe(false);
    const again = await readPortalPolicy(pool, PORTAL, { needs: needed });
    expect(covers(again, needed)).toBe(true);
    expect([...again.presets.keys()]).toEqual([String(preset?.presetId)]);
    expect([...again.rotations.keys()]).toEqual([String(rotationId)]);
    expect(again.senders.size).toBeGreaterThan(0);
  });

  test("applies the account's own defaults to senders who have not changed", async () => {
    const { prisma } = db.database;
    await prisma.portal.update({ where: { portalId: PORTAL }, data: { timeZone: "Europe/Berlin" } });
    await prisma.portalSettings.create({ data: { portalId: PORTAL, onlyListedSenders: true } });
    const again = await readAgain();
    expect(sentBytes).toBeLessThan(50_000);
    expect(again.senders.get(9n)).toMatchObject({ timeZone: "Europe/Berlin", isAllowed: false });
  });
});
