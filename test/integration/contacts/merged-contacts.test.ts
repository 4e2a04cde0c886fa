import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { claimDue, type Ownership } from "#domain/executions/claim.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { enrolled, failed, type Outcome } from "#domain/contract/outcome.js";
import { readWatched, writeLooks, type LookResult } from "#domain/executions/watch.js";
import { writeFindings } from "#domain/executions/write-back.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { UNKIND_WORLD } from "../../../src/simulator/world/presets.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";
import { addPlainPortal, startRunningApp } from "../../support/start-app.js";

test("a contact that is merged before its attempt is judged by HubSpot's data of the one it was merged into", async () => {
  const running = await startRunningApp({ simulator: UNKIND_WORLD, environment: { ROLE: "web" } });
  try {
    const portal = addPlainPortal(running.simulator);
    running.simulator.setWebhookTarget({ url: running.publicUrl + WEBHOOK_ROUTE });
    await running.install(portal);
    const [first, second] = portal.senders.map(({ userId }) => portal.ownerOfUser(userId).ownerId);
    const { id } = portal.addContact({ properties: { hubspot_owner_id: first ?? "" } });
    const other = portal.addContact({ properties: { hubspot_owner_id: second ?? "" } });
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [id],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    const isStored = async (contactId: string) =>
      (await running.db.database.prisma.execution.count({ where: { contactId } })) === 1;
    while (!(await isStored(id))) await new Promise((resolve) => setTimeout(resolve, 20));
    const merged = portal.mergeContacts(other.id, id);
    // The merge names the one that was kept; ours is among those it was made of.
    while (!(await isStored(merged.id))) await new Promise((resolve) => setTimeout(resolve, 20));
    await running.startAnother({ ROLE: "worker" });
    await run.finished;
    expect(run.executions[0]?.outputs).toMatchObject({
      enrollment_status: "ENROLLED",
      sender_user_id: String(portal.senders[1]?.userId),
    });
    expect(portal.enrollments.latestOf(merged.id)?.userId).toBe(portal.senders[1]?.userId);
  } finally {
    await running.close();
  }
});

describe("a merge that is reported while an owner is working on the contact", () => {
  const portalId = 5n;
  let db: TestDatabase;
  let owner: Ownership;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES (5, 'CONNECTED')`);
    const { epoch } = await acquirePortal(db.database.pool, portalId);
    owner = { pool: db.database.pool, portalId, epoch, leaseCte: LEASE_CTE };
  });

  beforeEach(() => db.database.pool.query(`DELETE FROM executions`));

  afterAll(() => db.drop());

  async function seed(state: string, kind = "ENROLL"): Promise<void> {
    const dueAt = new Date(Date.now() - 60_000);
    await seedExecutions(db.database, [{ portalId, contactId: "1", sequenceId: "3", state, kind, dueAt }]);
  }

  const merge = () =>
    applyContactChanges(db.database.pool, [{ kind: "merged", portalId, contactIds: ["1"], into: "2" }]);
  const row = () => db.database.prisma.execution.findFirstOrThrow({ where: { portalId } });

  async function findOut(outcome: Outcome, { namesContact = true } = {}) {
    const [claimed] = await claimDue(owner, 1);
    if (claimed === undefined) throw new Error("nothing was claimed");
    const { id, contactId } = claimed;
    await merge();
    const finding = { id, from: "ATTEMPTING", result: { to: "DECIDED", outcome } } as const;
    expect(await writeFindings(owner, [namesContact ? { ...finding, contactId } : finding])).toBe(1);
    return row();
  }

  test.each([failed("CONTACT_NOT_FOUND"), failed("UNSUBSCRIBED", { detail: "ann@old.example" })])(
    "makes what was found out about the old contact moot: the new one is attempted ($errorCode)",
    async (outcome) => {
      await seed("QUEUED");
      const found = await findOut(outcome);
      expect(found).toMatchObject({ state: "QUEUED", contactId: "2", hasWaited: true });
      expect(found).toMatchObject({ executionState: null, enrollmentStatus: null, errorCode: null });
      expect(found).toMatchObject({ errorMessage: null, decidedAt: null, outputs: null });
      expect(found.dueAt.getTime()).toBeLessThanOrEqual(Date.now());
      expect((await claimDue(owner, 1)).map(({ contactId }) => contactId)).toEqual(["2"]);
    },
  );

  test("asks HubSpot about the new one, too, where the old one's state was all that was wanted", async () => {
    await seed("QUEUED", "CHECK_ENROLLMENT");
    const found = await findOut({ executionState: "SUCCESS", outputs: { is_enrolled: "false" } });
    expect(found).toMatchObject({ state: "QUEUED", contactId: "2", executionState: null, outputs: null });
  });

  test("leaves an enrollment one: it went along to the new contact", async () => {
    await seed("QUEUED");
    const found = await findOut(enrolled({ id: "9", enrolledAt: new Date() }));
    expect(found).toMatchObject({ state: "DECIDED", contactId: "2", enrollmentStatus: "ENROLLED" });
  });

  test("stores what was found out and names no contact: it is true of the new one, too", async () => {
    await seed("QUEUED");
    const found = await findOut(failed("BLOCKED"), { namesContact: false });
    expect(found).toMatchObject({ state: "DECIDED", contactId: "2", errorCode: "BLOCKED" });
  });

  test.each<LookResult>([
    { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") },
    { to: "WATCHING", dueAt: new Date(Date.now() + 900_000), seen: { sequence_id: "3" } },
    { to: "QUEUED" },
  ])("voids a look at the old contact: the new one is looked at ($to)", async (result) => {
    await seed("WATCHING");
    const { executions } = await readWatched(owner, { limit: 1, gatherMs: 0 });
    await merge();
    const looks = executions.map((execution) => ({ execution, result, contactId: "7" }));
    expect(await writeLooks(owner, looks)).toBe(0);
    const seen = await row();
    expect(seen).toMatchObject({ state: "WATCHING", contactId: "2", outputs: null, errorCode: null });
    expect(seen.dueAt.getTime()).toBeLessThanOrEqual(Date.now());
  });
});
