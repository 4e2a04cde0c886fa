import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { claimDue, readNextContacts, type OddPlace, type Ownership } from "#domain/executions/claim.js";
import { LANES } from "#domain/contract/execution.js";
import {
  PORTAL,
  acquire,
  db,
  ownerOf,
  pool,
  statesOf,
  store,
  useLeaseStage,
} from "../../support/lease-stage.js";

useLeaseStage();

describe("whose execution is claimed next", () => {
  let owner: Ownership;

  beforeAll(async () => {
    await db.database.prisma.portal.create({
      data: { portalId: PORTAL, status: "CONNECTED", scopes: [], settings: { create: {} } },
    });
  });

  beforeEach(async () => {
    owner = ownerOf(await acquire());
  });

  async function claimedOf(limit: number, oddPlace?: OddPlace): Promise<string[]> {
    const claimed = new Set((await claimDue(owner, limit, oddPlace)).map(({ id }) => id));
    return Object.entries(waiting).flatMap(([lane, ids]) =>
      ids.filter((id) => claimed.has(id)).map(() => lane),
    );
  }

  let waiting: Record<keyof typeof LANES, bigint[]>;

  /** The batch first: it waits longest. */
  async function storeEach(counts: Record<keyof typeof LANES, number>): Promise<void> {
    const batch = await store(counts.batch, { lane: LANES.batch, dueInMs: -30_000 });
    const call = await store(counts.call, { lane: LANES.call, dueInMs: -20_000 });
    const workflow = await store(counts.workflow, { lane: LANES.workflow });
    waiting = { workflow, call, batch };
  }

  test("half of the places are the workflows' while a batch waits, however long it has waited", async () => {
    await storeEach({ workflow: 20, call: 0, batch: 50 });
    expect(await claimedOf(10)).toEqual([...Array(5).fill("workflow"), ...Array(5).fill("batch")]);
  });

  test("a single call of the API comes before the batch", async () => {
    await storeEach({ workflow: 20, call: 3, batch: 50 });
    expect(await claimedOf(8)).toEqual([...Array(4).fill("workflow"), ...Array(3).fill("call"), "batch"]);
  });

  test("places that become free one by one go to both in turns", async () => {
    await storeEach({ workflow: 20, call: 1, batch: 50 });
    expect(await claimedOf(1, "workflows")).toEqual(["workflow"]);
    expect(await claimedOf(1, "others")).toEqual(["call"]);
    expect(await claimedOf(1, "workflows")).toEqual(["workflow"]);
    expect(await claimedOf(1, "others")).toEqual(["batch"]);
  });

  test("places that one lane does not need go to the others", async () => {
    await storeEach({ workflow: 2, call: 0, batch: 50 });
    expect(await claimedOf(10)).toEqual(["workflow", "workflow", ...Array(8).fill("batch")]);
    await store(6, { lane: LANES.workflow });
    expect(await claimDue(owner, 100)).toHaveLength(6 + 42);
  });

  test("what is read ahead are the contacts that are claimed next", async () => {
    await storeEach({ workflow: 2, call: 1, batch: 1 });
    await pool().query(`UPDATE executions SET contact_id = lane::text || row.place
                          FROM (SELECT id, row_number() OVER (PARTITION BY lane ORDER BY due_at) AS place FROM executions) AS row
                         WHERE row.id = executions.id`);
    const next = await readNextContacts(owner, 3);
    expect(next.map(({ contactId }) => contactId)).toEqual(["01", "11", "02"]);
  });

  test("nothing is claimed in a paused account, even by an owner that has not noticed the pause", async () => {
    await storeEach({ workflow: 1, call: 1, batch: 1 });
    const pausedAt = (at: Date | null) =>
      db.database.prisma.portalSettings.update({ where: { portalId: PORTAL }, data: { pausedAt: at } });
    await pausedAt(new Date());
    expect(await claimDue(owner, 10)).toEqual([]);
    expect(await statesOf()).toEqual({ QUEUED: 3 });
    await pausedAt(null);
    expect(await claimDue(owner, 10)).toHaveLength(3);
  });
});
