import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { OpenQuestions } from "../../../src/simulator/world/open-questions.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { TROUBLES } from "../../../src/simulator/portal/troubles.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { startSimulatorForTest, type ParsedBody } from "../../support/simulated-app.js";

let nowMs: number;
let simulator: Simulator;
let portal: SimulatedPortal;

beforeEach(() => start());
afterEach(() => simulator.close());

async function start(openQuestions: Partial<OpenQuestions> = {}): Promise<void> {
  nowMs = Date.UTC(2026, 10, 20, 12);
  simulator = await startSimulatorForTest({ now: () => nowMs, rateLimit: false, openQuestions });
  portal = simulator.addPortal({ contacts: 5 });
}

async function restart(openQuestions: Partial<OpenQuestions>): Promise<void> {
  await simulator.close();
  await start(openQuestions);
}

async function call(
  method: string,
  target: string,
  body?: unknown,
): Promise<{ status: number; body: ParsedBody }> {
  const response = await fetch(simulator.url + target, {
    method,
    headers: { authorization: `Bearer ${portal.accessToken()}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

const SEQUENCES = "/automation/sequences/2026-09";

function enroll(contactId: string, changes: Record<string, unknown> = {}, user = portal.admin) {
  return call("POST", `${SEQUENCES}/enrollments?userId=${user.userId}`, {
    sequenceId: "300000001",
    contactId,
    senderEmail: user.inboxAddress,
    ...changes,
  });
}

describe("enrolling in the simulator", () => {
  test("answers with the enrollment, which the lookup then shows", async () => {
    const { body } = await enroll("1001");
    expect(body).toMatchObject({ toEmail: portal.contact("1001").properties["email"] });
    const found = await call("GET", `${SEQUENCES}/enrollments/contact/1001`);
    expect(found.body).toMatchObject({
      id: body.id,
      sequenceId: "300000001",
      enrolledBy: String(portal.admin.userId),
    });
  });

  test.each([
    ["of an unknown sequence", "1001", { sequenceId: "1" }, "404 Sequence 1 was not found"],
    ["of an unknown contact", "9", {}, "404 Contact 9 was not found"],
    [
      "without a sender",
      "1001",
      { senderEmail: undefined },
      "400 Some required fields were not set: [senderEmail]",
    ],
    [
      "from somebody else's inbox",
      "1001",
      { senderEmail: "stranger@acme.example" },
      "400 stranger@acme.example is not a connected email account of the user",
    ],
    [
      "from an unknown alias",
      "1001",
      { senderAliasAddress: "a@acme.example" },
      "400 a@acme.example is not an alias of the connected email account",
    ],
  ])("is refused %s", async (...[, contactId, changes, answer]) => {
    const { status, body } = await enroll(contactId, changes);
    expect(`${status} ${body.message}`).toBe(answer);
    expect(portal.enrollments.total).toBe(0);
  });

  test("is refused without a user id, and to a user without permission", async () => {
    const nobody = await call("POST", `${SEQUENCES}/enrollments`, { contactId: "1001" });
    expect([nobody.status, nobody.body.message]).toEqual([400, "query param userId may not be null"]);
    const seatless = userWhere(({ hasSequencesPermission }) => !hasSequencesPermission);
    expect((await enroll("1001", {}, seatless)).status).toBe(403);
    expect(portal.enrollments.factsOf("1001").posts).toBe(2);
  });

  test("is refused to a user without a connected inbox, by HubSpot's sub-category", async () => {
    const answer = await enroll(
      "1001",
      {},
      userWhere(({ hasConnectedInbox }) => !hasConnectedInbox),
    );
    expect(answer.body.subCategory).toBe("SequenceStandardFriendlyError.PUBLIC_ENROLL_NO_CONNECTED_EMAILS");
  });

  test.each([
    ["unsubscribed", "SequenceError.UNSUBSCRIBED"],
    ["bounced", "SequenceError.BOUNCED"],
    ["blocked", "SequenceError.BLOCKED_ADDRESS"],
    ["no-email", "SequenceError.MISSING_EMAIL_ADDRESS"],
  ] as const)("is refused for a contact that is %s", async (trouble, subCategory) => {
    const answer = await enroll(portal.addTroubledContact(trouble).id);
    expect([answer.status, answer.body.subCategory]).toEqual([400, subCategory]);
  });

  test("is refused while another sequence runs, and counted as an attempt", async () => {
    await enroll("1001");
    const again = await enroll("1001");
    expect(again.status).toBe(400);
    expect(again.body.message).toContain("already enrolled in a sequence");
    expect(portal.enrollments.factsOf("1001")).toEqual({ posts: 2, accepted: 1, whileActive: 1 });
  });

  test("stops at the sender's daily limit until the portal's own midnight", async () => {
    portal.admin.dailyLimit = 1;
    expect((await enroll("1001")).status).toBe(200);
    expect((await enroll("1002")).body.subCategory).toBe("SequenceError.SEND_LIMIT_EXCEEDED");
    // Noon UTC is 07:00 in New York: the day ends 17 hours later.
    nowMs += 17 * 3_600_000 - 1;
    expect((await enroll("1002")).status).toBe(400);
    nowMs += 1;
    expect((await enroll("1002")).status).toBe(200);
  });

  test("changes the contact's properties, after the lag", async () => {
    simulator.setPropertyLag(20_000);
    await enroll("1001");
    const read = () =>
      call(
        "GET",
        "/crm/objects/2026-09/contacts/1001?properties=hs_sequences_is_enrolled,hs_latest_sequence_enrolled",
      );
    expect((await read()).body.properties).toMatchObject({ hs_sequences_is_enrolled: null });
    nowMs += 20_000;
    expect((await read()).body.properties).toMatchObject({
      hs_sequences_is_enrolled: "true",
      hs_latest_sequence_enrolled: "300000001",
    });
    portal.endEnrollment("1001", "replied");
    nowMs += 20_000;
    expect((await read()).body.properties).toMatchObject({ hs_sequences_is_enrolled: "false" });
    expect((await enroll("1001")).status).toBe(200);
  });

  test("leaves the lookup of other contacts to the open questions", async () => {
    const lookUp = (id: string) => call("GET", `${SEQUENCES}/enrollments/contact/${id}`);
    expect((await lookUp("1001")).status).toBe(404);
    await restart({ neverEnrolled: 200, endedEnrollment: 404 });
    expect(await lookUp("1001")).toEqual({ status: 200, body: {} });
    await enroll("1001");
    portal.endEnrollment("1001", "finished");
    expect((await lookUp("1001")).status).toBe(404);
  });
});

describe("a simulated account", () => {
  test("is the same again for the same seed, and no address comes twice", async () => {
    const emails = (of: SimulatedPortal) =>
      [...of.contacts.values()].map(({ properties }) => properties["email"]);
    const first = emails(portal);
    expect(new Set(emails(simulator.addPortal({ contacts: 2000 }))).size).toBe(2000);
    await restart({});
    expect(emails(portal)).toEqual(first);
    expect(first.every((email) => /^[a-z]+\.[a-z]+\d+@[a-z]+\.example$/.test(email ?? ""))).toBe(true);
  });

  test("can hold contacts with every trouble", () => {
    const troubled = simulator.addPortal({
      troubles: Object.fromEntries(TROUBLES.map((trouble) => [trouble, 2])),
    });
    expect(troubled.contacts.size).toBe((TROUBLES.length - 1) * 2); // the deleted ones are gone
    const queue = [...troubled.owners.values()].find(({ type }) => type === "QUEUE");
    const owners = [...troubled.contacts.values()].map(({ properties }) => properties["hubspot_owner_id"]);
    expect(owners.filter((ownerId) => ownerId === queue?.ownerId)).toHaveLength(2);
    expect(owners.filter((ownerId) => ownerId === null)).toHaveLength(2);
  });

  test("takes users, sequences and contacts as given", () => {
    const given = simulator.addPortal({
      portalId: 77,
      users: [{ userId: 5, email: "only@acme.example", inboxAddress: "only@acme.example" }],
      sequences: [{ id: "42", name: "The one" }],
      contacts: [{ id: "9", properties: { email: null } }],
    });
    expect(given.admin.userId).toBe(5);
    expect([...given.sequences.keys()]).toEqual(["42"]);
    expect(given.contact("9").properties["email"]).toBeNull();
    expect(() => simulator.addPortal({ portalId: 77 })).toThrow(/already/);
  });
});

describe("the simulated directory", () => {
  test("lists the sequences a user may see, by name, in pages", async () => {
    const [, rep] = portal.senders;
    portal.addSequence({ name: "Private outbound", visibleTo: [] });
    const list = (query: string) => call("GET", `${SEQUENCES}?${query}`).then(({ body }) => body);
    expect((await list(`userId=${portal.admin.userId}&name=outbound`)).total).toBe(3);
    expect((await list(`userId=${rep!.userId}&name=outbound`)).total).toBe(2);
    const first = await list(`userId=${rep!.userId}&limit=7`);
    expect(first.results).toHaveLength(7);
    const second = await list(`userId=${rep!.userId}&limit=7&after=${first.paging.next.after}`);
    expect(second.results).toHaveLength(5);
    expect(second.paging).toBeUndefined();
  });

  test("keeps the three ids of a person apart and takes the user id from archived owners", async () => {
    const active = portal.ownerOfUser(portal.admin.userId);
    expect(active.ownerId).not.toBe(String(portal.admin.userId));
    expect((await call("GET", `/crm/owners/2026-09/${active.ownerId}`)).body).toMatchObject({
      userId: portal.admin.userId,
    });
    portal.deactivateUser(portal.senders[1]!.userId);
    const { results } = (await call("GET", "/crm/owners/2026-09?archived=true")).body;
    expect(results).toHaveLength(2);
    for (const owner of results) {
      expect(owner.userId).toBeUndefined();
      expect(owner.userIdIncludingInactive).toBeGreaterThan(0);
    }
  });

  test("refuses calls without a token, with an expired one, and without the scope", async () => {
    const owners = `${simulator.url}/crm/owners/2026-09`;
    expect((await fetch(owners)).status).toBe(401);
    const narrow = { authorization: `Bearer ${portal.accessToken(["oauth"])}` };
    const missing = await fetch(owners, { headers: narrow });
    expect([missing.status, (await missing.json()).category]).toEqual([403, "MISSING_SCOPES"]);
    portal.expireAccessTokens();
    const expired = await fetch(owners, { headers: narrow });
    expect([expired.status, (await expired.json()).category]).toEqual([401, "EXPIRED_AUTHENTICATION"]);
  });
});

describe("completing callbacks in the simulator", () => {
  const CALLBACKS = "/automation/actions/callbacks/2026-09";
  const success = { outputFields: { hs_execution_state: "SUCCESS" }, typedOutputs: {} };
  const batch = (...ids: string[]) =>
    call("POST", `${CALLBACKS}/complete`, { inputs: ids.map((callbackId) => ({ callbackId, ...success })) });

  test("works once, and every attempt is on record", async () => {
    portal.callbacks.expect("ap-1");
    expect((await call("POST", `${CALLBACKS}/ap-1/complete`, success)).status).toBe(204);
    expect((await call("POST", `${CALLBACKS}/ap-1/complete`, success)).status).toBe(404);
    expect(portal.callbacks.get("ap-1")?.received).toHaveLength(2);
    expect((await call("POST", `${CALLBACKS}/ap-9/complete`, success)).status).toBe(404);
  });

  test("takes a batch, and refuses it whole for one bad id", async () => {
    for (const id of ["ap-1", "ap-2", "ap-3"]) portal.callbacks.expect(id);
    expect((await batch("ap-1", "ap-9")).status).toBe(400);
    expect(portal.callbacks.acceptedCount).toBe(0);
    expect((await batch("ap-1", "ap-2")).status).toBe(204);
    expect((await batch("ap-2", "ap-3")).status).toBe(400);
    expect(portal.callbacks.acceptedCount).toBe(2);
  });

  test("can take the good part of a batch instead", async () => {
    await restart({ badIdInBatch: "take-good" });
    portal.callbacks.expect("ap-1");
    expect((await batch("ap-1", "ap-9")).status).toBe(204);
    expect(portal.callbacks.acceptedCount).toBe(1);
  });

  test("needs a final state", async () => {
    portal.callbacks.expect("ap-1");
    const blocked = { outputFields: { hs_execution_state: "BLOCK" }, typedOutputs: {} };
    expect((await call("POST", `${CALLBACKS}/ap-1/complete`, blocked)).status).toBe(400);
  });
});

function userWhere(fits: (user: typeof portal.admin) => boolean): typeof portal.admin {
  return [...portal.users.values()].find((user) => user.active && fits(user))!;
}
