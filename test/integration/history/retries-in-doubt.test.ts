import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { inTransaction } from "#platform/db/transaction.js";
import { applyAction, type AdminAction } from "#domain/history/admin-actions.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { seedExecutions } from "../../support/executions.js";
import {
  addPlainPortal,
  startRunningApp,
  UNKIND_BUT_QUICK,
  type RunningApp,
} from "../../support/start-app.js";

let running: RunningApp;

beforeAll(async () => {
  running = await startRunningApp(UNKIND_BUT_QUICK);
});

afterEach(() => {
  running.simulator.setPropertyLag(UNKIND_BUT_QUICK.simulator.propertyLagMs);
});

afterAll(() => running.close());

interface Stage {
  readonly portal: SimulatedPortal;
  readonly portalId: bigint;
  /** Signed in to the settings site. */
  readonly browser: Awaited<ReturnType<RunningApp["install"]>>;
  readonly contactIds: string[];
  readonly sequenceId: string;
}

async function connectedPortal(contacts = 1): Promise<Stage> {
  const portal = addPlainPortal(running.simulator, { contacts });
  const browser = await running.install(portal);
  await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  const contactIds = [...portal.contacts.keys()];
  const sequenceId = [...portal.sequences.keys()][0] ?? "";
  return { portal, portalId: BigInt(portal.portalId), browser, contactIds, sequenceId };
}

async function rowsOf({ portalId }: Pick<Stage, "portalId">) {
  const { prisma } = running.db.database;
  return prisma.execution.findMany({ where: { portalId }, orderBy: { id: "asc" } });
}

async function untilRows(stage: Stage, condition: string, count = 1): Promise<void> {
  const text = `SELECT FROM executions WHERE portal_id = $1 AND ${condition}`;
  const endsAt = Date.now() + 60_000;
  while ((await running.db.database.pool.query(text, [stage.portalId])).rowCount !== count) {
    if (Date.now() > endsAt) throw new Error(`${count} executions did not come to be: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What an admin does to all executions of the portal that it applies to. */
async function act(stage: Pick<Stage, "portalId">, action: AdminAction): Promise<number> {
  const ids = (await rowsOf(stage)).map(({ id }) => id);
  return inTransaction(running.db.database.pool, (client) =>
    applyAction(client, action, { portalId: stage.portalId, ids }),
  );
}

/** Enrolls all contacts; the answers are lost, and `fault` says whether HubSpot did what it was asked for. */
async function loseAnswers(stage: Stage, fault: "resetAfter" | "resetBefore"): Promise<void> {
  const { portal, contactIds, sequenceId } = stage;
  running.simulator.failNext({
    endpoint: "enroll",
    fault,
    portalId: portal.portalId,
    times: contactIds.length,
  });
  portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds,
    inputs: { sequence_id: sequenceId, sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  // Long before they are looked at.
  await untilRows(stage, "state = 'UNCERTAIN' AND attempts = 1", contactIds.length);
}

/** An admin cancels all while nobody knows yet what became of them: what is being read at this moment, a little later. */
async function cancelAll(stage: Stage): Promise<void> {
  const endsAt = Date.now() + 60_000;
  for (let canceled = 0; canceled < stage.contactIds.length;) {
    if (Date.now() > endsAt) throw new Error("not all could be canceled");
    canceled += await act(stage, "CANCEL");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await untilRows(stage, "state = 'COMPLETED' AND ended_in_doubt", stage.contactIds.length);
}

const RETRIES = "retry_of IS NOT NULL";

describe("the retry of what an admin canceled while HubSpot's answer was lost", () => {
  test("finds what the first attempt did and has ended since, as its sender's, and nothing is sent again", async () => {
    const stage = await connectedPortal(3);
    const { portal, contactIds } = stage;
    await loseAnswers(stage, "resetAfter");
    contactIds.forEach((id) => {
      portal.endEnrollment(id, "replied");
    });
    await cancelAll(stage);
    await running.db.database.pool.query(
      `INSERT INTO bulk_jobs (portal_id, action, filter, before_id) VALUES ($1, 'RETRY', '{"outcome":"failed"}', 1000000)`,
      [stage.portalId],
    );
    // Its sender's place in the daily cap stays taken while it may have been sent.
    await untilRows(stage, `${RETRIES} AND sender_user_id IS NOT NULL`, 3);
    await untilRows(stage, `${RETRIES} AND enrollment_status = 'ENROLLED'`, 3);
    for (const { contactId, senderUserId, senderEmail } of (await rowsOf(stage)).slice(3)) {
      const made = portal.enrollments.latestOf(contactId);
      expect(senderEmail).toBe(made?.senderEmail);
      expect(Number(senderUserId)).toBe(made?.userId);
      expect(portal.enrollments.factsOf(contactId)).toMatchObject({ posts: 1, accepted: 1 });
    }
  });

  test("sends nothing while HubSpot counts an enrollment it does not show, says so, and ends at the deadline", async () => {
    const stage = await connectedPortal();
    const { portal, browser, contactIds } = stage;
    const [contactId = ""] = contactIds;
    await loseAnswers(stage, "resetAfter");
    // Ours has ended, and another one after it, before anybody looks.
    portal.endEnrollment(contactId, "replied");
    portal.enrollInUi(contactId, { sequenceId: portal.addSequence().id });
    portal.endEnrollment(contactId, "finished");
    await cancelAll(stage);
    expect(await act(stage, "RETRY")).toBe(1);
    await untilRows(stage, `${RETRIES} AND last_problem LIKE 'HubSpot counts an enrollment%'`);
    const [, retry] = await rowsOf(stage);
    const story = await browser.open(`${running.publicUrl}/settings/activity/${retry?.id}`);
    expect(story.body).toContain("HubSpot counts an enrollment of this contact that it does not show");
    expect(story.body).toContain("May have been sent from");

    await running.db.database.pool.query(
      `UPDATE executions SET deadline_at = now(), due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND ${RETRIES}`,
      [stage.portalId],
    );
    await untilRows(stage, `${RETRIES} AND state = 'COMPLETED'`);
    const ended = (await rowsOf(stage))[1];
    expect(ended).toMatchObject({ errorCode: "DEADLINE_EXCEEDED", endedInDoubt: true });
    expect(ended?.errorMessage).toContain("the contact may still have been enrolled");
    expect(portal.enrollments.factsOf(contactId).posts).toBe(1);
  });

  test("does not take for its own what the call showed already: the contact is enrolled then", async () => {
    const stage = await connectedPortal();
    const { portal, contactIds, sequenceId } = stage;
    const [contactId = ""] = contactIds;
    running.simulator.setPropertyLag(0);
    portal.enrollInUi(contactId, { sequenceId, agoMs: 500 });
    portal.endEnrollment(contactId, "finished");
    await loseAnswers(stage, "resetBefore");
    await cancelAll(stage);
    await act(stage, "RETRY");
    await untilRows(stage, `${RETRIES} AND enrollment_status = 'ENROLLED'`);
    expect(portal.enrollments.factsOf(contactId).accepted).toBe(1);
    expect((await rowsOf(stage))[1]?.enrollmentId).toBe(portal.enrollments.latestOf(contactId)?.id);
  });
});

describe("what a retry keeps of its family", () => {
  /** Portals that no worker knows: what is stored stays as it is. */
  let nextPortalId = 9_900_000_000n;

  async function afterCancel(seed: { state: string; senderUserId?: bigint }) {
    nextPortalId += 1n;
    const stage = { portalId: nextPortalId };
    const { state, senderUserId = null } = seed;
    const properties = { email: "a@b.example", hs_sequences_enrolled_count: "2" };
    const request = { senderMode: "contact_owner", properties };
    const common = { portalId: stage.portalId, sequenceId: "300", request, attempts: 1 };
    await seedExecutions(running.db.database, [{ ...common, state, senderUserId }]);
    await act(stage, "CANCEL");
    await running.db.database.pool.query(`UPDATE executions SET state = 'COMPLETED' WHERE portal_id = $1`, [
      stage.portalId,
    ]);
    const [canceled] = await rowsOf(stage);
    await act(stage, "RETRY");
    return { stage, canceled, retry: (await rowsOf(stage))[1] };
  }

  test("of a doubt without a sender, as a restored backup leaves it: since when is not known, so it is waited for", async () => {
    const { canceled, retry } = await afterCancel({ state: "UNCERTAIN" });
    expect(canceled).toMatchObject({ endedInDoubt: true });
    expect(retry).toMatchObject({ state: "UNCERTAIN", doubtedAt: null, senderUserId: null });
  });

  test("of one that only waited for its sender: no doubt, and nobody who may have sent it", async () => {
    const { canceled, retry } = await afterCancel({ state: "QUEUED", senderUserId: 7n });
    expect(canceled).toMatchObject({ endedInDoubt: false, senderUserId: null });
    expect(retry).toMatchObject({ state: "UNCERTAIN", doubtedAt: new Date(0), senderUserId: null });
  });

  test("what the call told of the contact's sequences, and nothing else that may have changed", async () => {
    const { retry } = await afterCancel({ state: "UNCERTAIN", senderUserId: 7n });
    expect(retry).toMatchObject({ senderUserId: 7n });
    expect(retry?.request).toEqual({
      senderMode: "contact_owner",
      sequencesBefore: {
        hs_sequences_is_enrolled: null,
        hs_sequences_enrolled_count: "2",
        hs_latest_sequence_enrolled: null,
        hs_latest_sequence_enrolled_date: null,
        hs_latest_sequence_ended_date: null,
      },
    });
  });

  test("also if the first retry ended in doubt, too: whom that was sent as", async () => {
    const { stage } = await afterCancel({ state: "UNCERTAIN", senderUserId: 7n });
    await running.db.database.pool.query(
      `UPDATE executions SET state = 'COMPLETED', enrollment_status = 'FAILED', error_code = 'HUBSPOT_REJECTED', decided_at = now(),
              ended_in_doubt = true, doubted_at = now(), sender_user_id = 8 WHERE portal_id = $1 AND ${RETRIES}`,
      [stage.portalId],
    );
    await act(stage, "RETRY");
    expect((await rowsOf(stage))[2]).toMatchObject({
      state: "UNCERTAIN",
      senderUserId: 8n,
      doubtedAt: null,
      request: { sequencesBefore: { hs_sequences_enrolled_count: "2" } },
    });
  });
});
