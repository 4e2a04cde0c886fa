import { afterEach, describe, expect, test } from "@jest/globals";
import {
  ENROLL_ROUTE,
  REQUESTED_PROPERTIES,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import {
  addPlainPortal,
  startRunningApp,
  type RunningApp,
  type StartOptions,
} from "../../support/start-app.js";

describe("the copy of a portal's sequences, owners and users", () => {
  let running: RunningApp;

  afterEach(() => running.close());

  async function start(seed: Parameters<typeof addPlainPortal>[1] = {}, options: StartOptions = {}) {
    running = await startRunningApp(options);
    return addPlainPortal(running.simulator, seed);
  }

  const prisma = () => running.db.database.prisma;
  const of = (portal: SimulatedPortal) => ({ portalId: BigInt(portal.portalId) });
  const row = (portal: SimulatedPortal) => prisma().portal.findUniqueOrThrow({ where: of(portal) });

  async function untilSynced(portal: SimulatedPortal, after = new Date(0)) {
    const deadlineMs = Date.now() + 60_000;
    for (;;) {
      const known = await row(portal);
      if (known.directorySyncedAt !== null && known.directorySyncedAt > after) return known;
      if (Date.now() > deadlineMs) throw new Error("the directory was not synced");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function untilTurnEnded(portal: SimulatedPortal) {
    while (!(await prisma().portalDrain.findUniqueOrThrow({ where: of(portal) })).isReleased)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Lets the copy grow old, opens a dropdown, and waits for the new copy. */
  async function resync(portal: SimulatedPortal) {
    await running.db.database.pool.query(
      `UPDATE portals SET directory_synced_at = now() - interval '5 minutes', directory_requested_at = now() - interval '5 minutes'
        WHERE portal_id = $1`,
      [portal.portalId],
    );
    const { directorySyncedAt } = await row(portal);
    await portal.fetchOptions({
      optionsUrl: running.publicUrl + SEQUENCE_OPTIONS_ROUTE,
      inputFieldName: "sequence_id",
    });
    return untilSynced(portal, directorySyncedAt ?? new Date(0));
  }

  async function enroll(
    portal: SimulatedPortal,
    inputs: Record<string, string>,
    contactIds = [...portal.contacts.keys()],
  ) {
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds,
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", ...inputs },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    return run.executions.map(({ outputs }) => outputs["error_code"] || outputs["enrollment_status"]);
  }

  test("is made after an install, whole, however many pages it takes", async () => {
    const portal = await start({
      sequences: 230,
      users: 130,
      timeZone: "Europe/Vienna",
      uiDomain: "app-eu1.hubspot.com",
    });
    await running.install(portal);
    const known = await untilSynced(portal);
    expect(known).toMatchObject({
      timeZone: "Europe/Vienna",
      uiDomain: "app-eu1.hubspot.com",
      directoryError: null,
    });
    expect(await prisma().sequence.count({ where: { ...of(portal), isListed: true } })).toBe(230);
    expect(await prisma().owner.count({ where: of(portal) })).toBe(131);
    const active = [...portal.users.values()].filter((user) => user.active).length;
    expect(await prisma().user.count({ where: { ...of(portal), isListed: true } })).toBe(active);
    // Who installs; two pages of active owners, one of archived ones, two of users, the account; three of sequences, as five people.
    // The workflows are read after it, at their own pace.
    const { counted, byEndpoint } = portal.traffic;
    expect(counted - (byEndpoint.get("flows")?.requests ?? 0)).toBe(7 + 5 * 3);
  });

  test("members who have left cost a request each once, not with every contact", async () => {
    const portal = await start();
    await running.install(portal);
    await untilSynced(portal);
    const [first] = portal.users.values();
    const departed = Array.from({ length: 20 }, (_, index) => 7_700_001 + index);
    const { rows } = await running.db.database.pool.query<{ id: string }>(
      `INSERT INTO rotations (portal_id, name) VALUES ($1, 'Left behind') RETURNING rotation_id AS id`,
      [portal.portalId],
    );
    const rotationId = rows[0]?.id ?? "";
    await running.db.database.pool.query(
      `INSERT INTO rotation_members (portal_id, rotation_id, user_id, weight)
       SELECT $1, $2, id, 1 FROM unnest($3::bigint[]) AS id`,
      [portal.portalId, rotationId, [first?.userId, ...departed]],
    );
    const askedBefore = portal.traffic.requestsOf("owners");
    for (let contact = 0; contact < 3; contact += 1) {
      await untilTurnEnded(portal);
      const run = portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds: [portal.addContact().id],
        inputs: {
          sequence_id: [...portal.sequences.keys()][0] ?? "",
          sender_mode: "rotation",
          rotation_id: rotationId,
        },
        objectProperties: [...REQUESTED_PROPERTIES],
      });
      await run.finished;
      expect(run.executions[0]?.outputs).toMatchObject({ sender_user_id: String(first?.userId) });
    }
    expect(portal.traffic.requestsOf("owners") - askedBefore).toBe(departed.length);
  });

  test("keeps archived owners as such, and knows queues from people", async () => {
    const portal = await start();
    await running.install(portal);
    await untilSynced(portal);
    const owners = await prisma().owner.findMany({ where: of(portal) });
    const gone = [...portal.owners.values()].find(({ archived }) => archived);
    expect(owners.find(({ ownerId }) => ownerId === gone?.ownerId)).toMatchObject({
      isArchived: true,
      userId: BigInt(gone?.userId ?? 0),
    });
    expect(owners.filter(({ type }) => type === "QUEUE")).toHaveLength(1);
    expect(
      owners
        .filter(({ isArchived, type }) => !isArchived && type === "PERSON")
        .every(({ userId }) => userId !== null),
    ).toBe(true);
  });

  test("follows renamed and removed sequences, and takes one back that returns", async () => {
    const portal = await start({ sequences: 3 });
    await running.install(portal);
    await untilSynced(portal);
    const [first, second] = [...portal.sequences.values()];
    if (first === undefined || second === undefined) throw new Error("no sequences");
    first.name = "Renamed";
    second.deleted = true;
    await resync(portal);
    const find = (sequenceId: string) =>
      prisma().sequence.findUniqueOrThrow({ where: { portalId_sequenceId: { ...of(portal), sequenceId } } });
    expect(await find(first.id)).toMatchObject({ name: "Renamed", isListed: true });
    expect(await find(second.id)).toMatchObject({ name: second.name, isListed: false });
    second.deleted = false;
    await resync(portal);
    expect(await find(second.id)).toMatchObject({ isListed: true });
  });

  test("an archived owner is distinguished from an active one at the next copy", async () => {
    const portal = await start({ contacts: 1 });
    await running.install(portal);
    await untilSynced(portal);
    const [contact] = portal.contacts.values();
    const owner = portal.owners.get(contact?.properties["hubspot_owner_id"] ?? "");
    portal.deactivateUser(owner?.userId ?? 0);
    await resync(portal);
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(["OWNER_INACTIVE"]);
  });

  test("without the optional scope for users, the owners are used, and no problem is reported", async () => {
    const portal = await start({ contacts: 1, unavailableScopes: ["settings.users.read"] });
    await running.install(portal);
    const known = await untilSynced(portal);
    expect(known.directoryError).toBeNull();
    expect(await prisma().user.count({ where: of(portal) })).toBe(0);
    const [sender] = portal.senders;
    expect(
      await enroll(portal, { sender_mode: "specific_user", sender_user_id: String(sender?.userId) }),
    ).toEqual(["ENROLLED"]);
  });

  test("if the installer may not use sequences, they are read as a user who may", async () => {
    const portal = await start({ contacts: 1 });
    portal.admin.hasSequencesPermission = false;
    await running.install(portal);
    const known = await untilSynced(portal);
    expect(known.directoryError).toBeNull();
    expect(await prisma().sequence.count({ where: { ...of(portal), isListed: true } })).toBeGreaterThan(0);
    expect(await prisma().owner.count({ where: of(portal) })).toBeGreaterThan(0);
    // A sequence chosen before, by its id, still works for a sender who may.
    const [sender] = portal.senders;
    expect(
      await enroll(portal, { sender_mode: "specific_user", sender_user_id: String(sender?.userId) }),
    ).toEqual(["ENROLLED"]);
  });

  test("an outage of one list keeps its old entries, is reported, and is repaired later; the others are copied", async () => {
    const portal = await start({ sequences: 2 });
    await running.install(portal);
    await untilSynced(portal);
    const owners = await prisma().owner.count({ where: of(portal) });
    portal.addSequence({ name: "Added meanwhile" });
    running.simulator.failNext({ endpoint: "owners", fault: "errorBefore", status: 503 });
    const partial = await resync(portal);
    expect(partial.directoryError).toContain("Owners: HubSpot answered 503");
    expect(await prisma().sequence.count({ where: { ...of(portal), isListed: true } })).toBe(3);
    expect(await prisma().owner.count({ where: { ...of(portal) } })).toBe(owners);
    const whole = await untilSynced(portal, partial.directorySyncedAt ?? new Date());
    expect(whole.directoryError).toBeNull();
  });

  test("without the list of users, which is optional, there is still a copy; they are read once HubSpot can", async () => {
    const portal = await start({ contacts: 1 });
    running.simulator.setFaults({ users: { errorBefore: 1 } });
    await running.install(portal);
    const partial = await untilSynced(portal);
    expect(partial.directoryError).toBeNull();
    expect(await prisma().user.count({ where: of(portal) })).toBe(0);
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(["ENROLLED"]);
    running.simulator.setFaults({});
    await untilSynced(portal, partial.directorySyncedAt ?? new Date());
    expect(await prisma().user.count({ where: of(portal) })).toBeGreaterThan(0);
  });

  test("while the first copy cannot be made, nobody is refused for being unknown", async () => {
    const portal = await start({ contacts: 3 });
    const outage = { endpoint: "owners", fault: "errorBefore", times: 2, status: 503 } as const;
    running.simulator.failNext(outage);
    running.simulator.failNext({ ...outage, endpoint: "users" });
    await running.install(portal);
    const [sender] = portal.senders;
    const statuses = await enroll(portal, {
      sender_mode: "specific_user",
      sender_user_id: String(sender?.userId),
    });
    expect(statuses).toEqual(["ENROLLED", "ENROLLED", "ENROLLED"]);
  });

  test("an owner who came after the copy is read once, however many contacts wait for them", async () => {
    const portal = await start();
    await running.install(portal);
    await untilSynced(portal);
    const newcomer = portal.addUser({ email: "new@acme.example", inboxAddress: "new@acme.example" });
    const { ownerId } = portal.ownerOfUser(newcomer.userId);
    for (let made = 0; made < 20; made += 1) portal.addContact({ properties: { hubspot_owner_id: ownerId } });
    const before = portal.traffic.requestsOf("owners");
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(Array(20).fill("ENROLLED"));
    expect(portal.traffic.requestsOf("owners") - before).toBe(1);
  });

  test("an owner who is deactivated in the copy is read once before anyone is refused, and the copy is corrected", async () => {
    const portal = await start({ contacts: 3 });
    const [, rep] = portal.senders;
    const owner = portal.ownerOfUser(rep?.userId ?? 0);
    portal.deactivateUser(owner.userId ?? 0);
    await running.install(portal);
    await untilSynced(portal);
    for (const contact of portal.contacts.values())
      Object.assign(contact.properties, { hubspot_owner_id: owner.ownerId });
    const before = portal.traffic.requestsOf("owners");
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(Array(3).fill("OWNER_INACTIVE"));
    expect(portal.traffic.requestsOf("owners") - before).toBeLessThanOrEqual(3);
    Object.assign(owner, { archived: false });
    Object.assign(rep ?? {}, { active: true });
    // Within a turn each person is asked for once.
    await untilTurnEnded(portal);
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(Array(3).fill("ENROLLED"));
    const where = { portalId_ownerId: { ...of(portal), ownerId: owner.ownerId } };
    expect(await prisma().owner.findUniqueOrThrow({ where })).toMatchObject({ isArchived: false });
  });

  test("a copy older than an hour is renewed before anybody is refused because of it, without a request for each", async () => {
    // Whatever the machine is busy with: what is asked is whether it waits, not for how long.
    const portal = await start({ users: 8 }, { renewalPatienceMs: 60_000 });
    const reps = portal.senders.slice(1, 5);
    const owners = reps.map(({ userId }) => portal.ownerOfUser(userId));
    reps.forEach(({ userId }) => {
      portal.deactivateUser(userId);
    });
    await running.install(portal);
    await untilSynced(portal);
    // A turn that goes on for the account's workflows knows the copy as it was.
    await untilTurnEnded(portal);
    owners.forEach((owner) => Object.assign(owner, { archived: false }));
    reps.forEach((rep) => Object.assign(rep, { active: true }));
    owners.forEach(({ ownerId }) => portal.addContact({ properties: { hubspot_owner_id: ownerId } }));
    await running.db.database.pool.query(
      `UPDATE portals SET directory_synced_at = now() - interval '2 hours', directory_requested_at = NULL WHERE portal_id = $1`,
      [portal.portalId],
    );
    const before = portal.traffic.requestsOf("owners");
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(Array(4).fill("ENROLLED"));
    // A page of archived owners, and one of active ones.
    expect(portal.traffic.requestsOf("owners") - before).toBe(2);
  });

  test("contacts do not wait for the renewal of a large directory", async () => {
    const portal = await start({ users: 1_500, sequences: 1_500, contacts: 5 });
    await running.install(portal);
    await untilSynced(portal);
    await running.db.database.pool.query(
      `UPDATE portals SET directory_synced_at = now() - interval '11 minutes', directory_requested_at = NULL WHERE portal_id = $1`,
      [portal.portalId],
    );
    const { directorySyncedAt } = await row(portal);
    running.simulator.setLatency(80);
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(Array(5).fill("ENROLLED"));
    expect((await row(portal)).directorySyncedAt).toEqual(directorySyncedAt);
  });

  test("a user whom the copy lists without an address can send once HubSpot knows one", async () => {
    const portal = await start({ contacts: 1 });
    await running.install(portal);
    await untilSynced(portal);
    const userId = BigInt(portal.senders[0]?.userId ?? 0);
    await prisma().user.updateMany({ where: { ...of(portal), userId }, data: { email: null } });
    await prisma().owner.updateMany({ where: { ...of(portal), userId }, data: { email: null } });
    const inputs = { sender_mode: "specific_user", sender_user_id: String(userId) };
    expect(await enroll(portal, inputs)).toEqual(["ENROLLED"]);
  });

  test("while HubSpot does not answer, nobody is refused because of the copy", async () => {
    const portal = await start({ contacts: 1 });
    await running.install(portal);
    await untilSynced(portal);
    const [contact] = portal.contacts.values();
    const ownerId = contact?.properties["hubspot_owner_id"] ?? "";
    await prisma().owner.updateMany({ where: { ...of(portal), ownerId }, data: { isArchived: true } });
    running.simulator.failNext({ endpoint: "owners", fault: "errorBefore", status: 503 });
    expect(await enroll(portal, { sender_mode: "contact_owner" })).toEqual(["ENROLLED"]);
  });

  test("a user who came after the copy can still send", async () => {
    const portal = await start({ contacts: 1 });
    await running.install(portal);
    await untilSynced(portal);
    const newcomer = portal.addUser({ email: "new@acme.example", inboxAddress: "new@acme.example" });
    expect(
      await enroll(portal, { sender_mode: "specific_user", sender_user_id: String(newcomer.userId) }),
    ).toEqual(["ENROLLED"]);
  });
});
