import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { LEASE_CTE } from "#platform/queue/portal-lease.js";
import {
  ENROLL_ROUTE,
  LEFT_TO_PRESET,
  REQUESTED_PROPERTIES,
} from "#domain/contract/actions/enroll-contract.js";
import { setPaused } from "#domain/accounts/portal-pause.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import {
  ContactProperties,
  createReadAhead,
  PROPERTIES_FRESH_MS,
} from "#worker/attempt/contact-properties.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import { adminOf } from "../../support/actors.js";

const POLICY: Policy = {
  ...INITIAL_POLICY,
  sender: { mode: "contact_owner" },
  suppression: { domains: ["blocked.example"], property: { name: "do_not_contact", values: ["Yes"] } },
};

/** Late enough to change the contact before, however busy the machine is; {@link itsDateComes} ends it. */
const inAnHour = () => ({ not_before: new Date(Date.now() + 3_600_000).toISOString() });

type Outputs = Readonly<Record<string, string | undefined>>;

let running: RunningApp;

async function openPortal(policy: Policy = POLICY): Promise<SimulatedPortal> {
  const portal = addPlainPortal(running.simulator);
  await running.install(portal);
  await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  await running.db.database.prisma.preset.create({
    data: { portalId: BigInt(portal.portalId), name: "default", policy: { ...policy }, isDefault: true },
  });
  return portal;
}

const ownerOf = (portal: SimulatedPortal, index: number) =>
  portal.ownerOfUser(portal.senders[index]?.userId ?? 0).ownerId;

function addContact(portal: SimulatedPortal, properties: Record<string, string | null> = {}): string {
  return portal.addContact({ properties: { hubspot_owner_id: ownerOf(portal, 0), ...properties } }).id;
}

function change(portal: SimulatedPortal, contactId: string, properties: Record<string, string | null>): void {
  Object.assign(portal.contact(contactId).properties, properties);
}

function run(
  portal: SimulatedPortal,
  contactIds: readonly string[],
  inputs: Record<string, string> = {},
): WorkflowRun {
  return portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [...contactIds],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner", ...inputs },
    objectProperties: [...REQUESTED_PROPERTIES, "do_not_contact"],
  });
}

const outputsOf = (ran: WorkflowRun, contactId: string): Outputs => ran.executionOf(contactId).outputs;
const reads = (portal: SimulatedPortal) => portal.traffic.requestsOf("contacts");
const pause = (portal: SimulatedPortal, isPaused: boolean) =>
  setPaused(running.db.database.pool, adminOf(portal.portalId), isPaused);

async function itsDateComes(portal: SimulatedPortal): Promise<void> {
  await running.db.database.pool.query(
    `UPDATE executions SET request = request || '{"notBefore": "2000-01-31T00:00:00Z"}', due_at = now() - interval '1 millisecond'
      WHERE portal_id = $1 AND state = 'QUEUED'`,
    [portal.portalId],
  );
}

async function untilWaiting(portal: SimulatedPortal, problem: string, state = "QUEUED"): Promise<void> {
  for (;;) {
    const { rows } = await running.db.database.pool.query<{ last_problem: string | null }>(
      `SELECT last_problem FROM executions WHERE portal_id = $1 AND state = $2`,
      [portal.portalId, state],
    );
    if (rows.some(({ last_problem }) => last_problem?.includes(problem))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("a contact that waited", () => {
  beforeAll(async () => {
    running = await startRunningApp();
  });

  afterAll(() => running.close());

  test("for its date is judged by the data of that day, not by the call's", async () => {
    const portal = await openPortal();
    const [reassigned, suppressed, moved, optedOut, cleared] = [
      addContact(portal),
      addContact(portal),
      addContact(portal),
      addContact(portal),
      addContact(portal, { do_not_contact: "Yes" }),
    ];
    const contactIds = [reassigned, suppressed, moved, optedOut, cleared];
    const ran = run(portal, contactIds, inAnHour());
    await ran.answered;
    change(portal, reassigned, { hubspot_owner_id: ownerOf(portal, 1) });
    change(portal, suppressed, { do_not_contact: "Yes" });
    change(portal, moved, { email: "ann@blocked.example" });
    change(portal, optedOut, { hs_email_optout: "true" });
    delete portal.contact(cleared).properties["do_not_contact"];
    await itsDateComes(portal);
    await ran.finished;
    expect(outputsOf(ran, reassigned)).toMatchObject({
      enrollment_status: "ENROLLED",
      sender_email: portal.senders[1]?.email,
    });
    expect(outputsOf(ran, suppressed)).toMatchObject({ enrollment_status: "SKIPPED", error_code: "BLOCKED" });
    expect(outputsOf(ran, moved)).toMatchObject({ enrollment_status: "SKIPPED", error_code: "BLOCKED" });
    expect(outputsOf(ran, optedOut)).toMatchObject({
      enrollment_status: "FAILED",
      error_code: "UNSUBSCRIBED",
    });
    expect(outputsOf(ran, cleared)).toMatchObject({ enrollment_status: "ENROLLED" });
  });

  test("and was merged meanwhile is enrolled under its new id; one that was deleted is not found", async () => {
    const portal = await openPortal();
    const [primary, other, deleted, kept] = [1, 2, 3, 4].map(() => addContact(portal)) as [
      string,
      string,
      string,
      string,
    ];
    const ran = run(portal, [primary, deleted, kept], inAnHour());
    await ran.answered;
    const merged = portal.mergeContacts(primary, other);
    portal.deleteContact(deleted);
    await itsDateComes(portal);
    await ran.finished;
    expect(outputsOf(ran, kept)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(outputsOf(ran, primary)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(portal.enrollments.factsOf(merged.id).posts).toBe(1);
    expect(outputsOf(ran, deleted)).toMatchObject({ error_code: "CONTACT_NOT_FOUND" });
    expect(portal.enrollments.factsOf(deleted).posts).toBe(0);
  });

  test("because its account was paused, if for a moment, is read again too", async () => {
    const portal = await openPortal();
    const contactId = addContact(portal);
    await pause(portal, true);
    const ran = run(portal, [contactId]);
    await ran.answered;
    change(portal, contactId, { do_not_contact: "Yes" });
    await pause(portal, false);
    await ran.finished;
    expect(outputsOf(ran, contactId)).toMatchObject({ error_code: "BLOCKED" });
  });

  test("for the end of the sequence it was in is read again before it is enrolled", async () => {
    const portal = await openPortal();
    const contactId = addContact(portal);
    await run(portal, [contactId]).finished;
    const ran = run(portal, [contactId], { if_already_enrolled: "wait" });
    await running.simulator.waitFor(() => portal.enrollments.factsOf(contactId).posts > 1, {
      what: "HubSpot's refusal",
    });
    change(portal, contactId, { hubspot_owner_id: ownerOf(portal, 1) });
    portal.endEnrollment(contactId, "finished");
    await untilWaiting(portal, "waiting for its end", "WATCHING");
    await running.db.database.pool.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND state = 'WATCHING'`,
      [portal.portalId],
    );
    await ran.finished;
    expect(outputsOf(ran, contactId)).toMatchObject({
      enrollment_status: "ENROLLED",
      sender_email: portal.senders[1]?.email,
    });
  });

  test("is read again each time it waits: data from before the second wait does not count after it", async () => {
    const portal = await openPortal();
    const contactId = addContact(portal);
    const userId = BigInt(portal.senders[0]?.userId ?? 0);
    const sender = { portalId: BigInt(portal.portalId), userId };
    await running.db.database.prisma.senderSettings.create({ data: { ...sender, dailyCap: 1 } });
    await running.db.database.pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, request, enrollment_status,
                               sender_user_id, enrolled_at)
       VALUES ($1, 'sent-before', 'ENROLL', 'COMPLETED', now(), '1', '{}', 'ENROLLED', $2, now())`,
      [portal.portalId, userId],
    );
    const ran = run(portal, [contactId], inAnHour());
    await ran.answered;
    await itsDateComes(portal);
    await untilWaiting(portal, "daily cap");
    change(portal, contactId, { hs_email_optout: "true" });
    await running.db.database.prisma.senderSettings.updateMany({ where: sender, data: { dailyCap: 10 } });
    await running.db.database.pool.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND state = 'QUEUED'`,
      [portal.portalId],
    );
    await ran.finished;
    expect(outputsOf(ran, contactId)).toMatchObject({ error_code: "UNSUBSCRIBED" });
  });

  test("costs a hundredth of a request: a backlog that waited is read a hundred contacts at a time", async () => {
    const portal = await openPortal();
    const contactIds = Array.from({ length: 95 }, () => addContact(portal));
    await pause(portal, true);
    const ran = run(portal, contactIds);
    await ran.answered;
    await pause(portal, false);
    await ran.finished;
    expect(contactIds.every((id) => outputsOf(ran, id)["enrollment_status"] === "ENROLLED")).toBe(true);
    // The first claim takes what has come by then; all others are read with it, or with one more.
    expect(reads(portal)).toBeLessThanOrEqual(2);
  });

  test("while HubSpot refuses the whole batch, is read by itself", async () => {
    const portal = await openPortal();
    const contactIds = [addContact(portal), addContact(portal)];
    await pause(portal, true);
    const ran = run(portal, contactIds);
    await ran.answered;
    running.simulator.failNext({ endpoint: "contacts", fault: "errorBefore", status: 400 });
    await pause(portal, false);
    await ran.finished;
    expect(contactIds.map((id) => outputsOf(ran, id)["enrollment_status"])).toEqual(["ENROLLED", "ENROLLED"]);
    expect(portal.traffic.byEndpoint.get("contacts")?.byStatus[400]).toBe(1);
  });
});

describe("what a call carried", () => {
  afterAll(() => running.close());

  test("decides for ten minutes without a request; after that, the contact is read", async () => {
    running = await startRunningApp();
    const portal = await openPortal();
    const young = Array.from({ length: 10 }, () => addContact(portal, { do_not_contact: "No" }));
    await run(portal, young).finished;
    expect(reads(portal)).toBe(0);
    await running.close();

    running = await startRunningApp({ propertiesFreshMs: 0 });
    const other = await openPortal();
    const old = Array.from({ length: 10 }, () => addContact(other, { do_not_contact: "No" }));
    await run(other, old).finished;
    expect(reads(other)).toBeGreaterThan(0);
  });

  test("decides nothing if its age is not known, because the database's clock was set back since it came", async () => {
    const portal = await openPortal();
    const read: string[] = [];
    const gateway = {
      readContacts: (contactIds: readonly string[]) => {
        read.push(...contactIds);
        return Promise.resolve(new Map(contactIds.map((id) => [id, { email: "now@acme.example" }])));
      },
    } as unknown as PortalGateway;
    const { pool } = running.db.database;
    const owner = { pool, portalId: BigInt(portal.portalId), epoch: 1n, leaseCte: LEASE_CTE };
    const contacts = new ContactProperties({ owner, ahead: createReadAhead() });
    const request = { senderMode: "contact_owner" as const, properties: { email: "then@acme.example" } };
    const emailAt = async (ageMs: number, hasWaited: boolean) => {
      const known = await contacts.of({ contactId: "7", request, ageMs, hasWaited }, { needed: [], gateway });
      return known?.properties["email"];
    };
    expect(await emailAt(PROPERTIES_FRESH_MS, false)).toBe("then@acme.example");
    expect(await emailAt(0, false)).toBe("then@acme.example");
    expect(read).toEqual([]);
    expect(await emailAt(-3_600_000, false)).toBe("now@acme.example");
    expect(await emailAt(PROPERTIES_FRESH_MS + 1, false)).toBe("now@acme.example");
    expect(await emailAt(0, true)).toBe("now@acme.example");
  });
});

describe("a property named like what every object inherits", () => {
  beforeAll(async () => {
    running = await startRunningApp();
  });

  afterAll(() => running.close());

  test("suppresses by its value alone", async () => {
    const property = { name: "constructor", values: ["Yes"] };
    const portal = await openPortal({ ...POLICY, suppression: { domains: [], property } });
    const [free, suppressed] = [addContact(portal), addContact(portal, { constructor: "Yes" })];
    const ran = run(portal, [free, suppressed]);
    await ran.finished;
    expect(outputsOf(ran, free)).toMatchObject({ error_code: "", enrollment_status: "ENROLLED" });
    expect(outputsOf(ran, suppressed)).toMatchObject({ error_code: "BLOCKED" });
  });

  test("names no sender unless the contact has it", async () => {
    const portal = await openPortal({
      ...POLICY,
      sender: { mode: "contact_property", property: "constructor" },
    });
    const [named, unnamed] = [addContact(portal, { constructor: ownerOf(portal, 1) }), addContact(portal)];
    const ran = run(portal, [named, unnamed], { sender_mode: LEFT_TO_PRESET });
    await ran.finished;
    expect(outputsOf(ran, named)).toMatchObject({ error_code: "", sender_email: portal.senders[1]?.email });
    expect(outputsOf(ran, unnamed)).toMatchObject({ error_code: "OWNER_MISSING" });
  });
});
