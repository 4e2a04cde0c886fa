import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { DEFAULT_ANSWERS, type OpenQuestions } from "../../../src/simulator/world/open-questions.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { ContactSeed } from "../../../src/simulator/seeding.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import { adminOf } from "../../support/actors.js";

describe("a refused enrollment is understood wherever HubSpot says why", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let presetId: string;

  const requestsTo = (path: RegExp): number =>
    running.simulator.requests.filter((request) => request.method === "GET" && path.test(request.path))
      .length;

  beforeAll(async () => {
    running = await startRunningApp({
      simulator: { rateLimit: false, recordRequests: true },
      environment: { HUBSPOT_RATE_LIMIT: "1000" },
    });
    portal = addPlainPortal(running.simulator, { contacts: 0 });
    await running.install(portal);
    presetId = await presetThatFails();
  });

  beforeEach(() => {
    running.simulator.setOpenQuestions(DEFAULT_ANSWERS);
  });

  afterAll(() => running.close());

  async function presetThatFails(): Promise<string> {
    const fallback = { ...INITIAL_POLICY.fallback, whenNobody: "fail" as const };
    const saved = await savePreset(running.db.database, adminOf(portal.portalId), {
      draft: { name: "Nobody waits", policy: { ...INITIAL_POLICY, fallback, ifAlreadyEnrolled: "fail" } },
      saved: undefined,
    });
    return saved.kind === "saved" ? String(saved.presetId) : "";
  }

  /** A new contact of a new sender of whom HubSpot was not asked yet. */
  function contactOf(
    sender: { hasConnectedInbox?: boolean; dailyLimit?: number },
    seed: ContactSeed = {},
  ): string {
    const { userId } = portal.addUser(sender);
    portal.user(userId).inboxAddress = portal.user(userId).email;
    const { ownerId } = portal.ownerOfUser(userId);
    return portal.addContact({ ...seed, properties: { ...seed.properties, hubspot_owner_id: ownerId } }).id;
  }

  function inSequence(seed: ContactSeed = {}): string {
    const id = contactOf({}, seed);
    portal.enrollInUi(id);
    return id;
  }

  const REASONS: Readonly<Record<string, () => string>> = {
    UNSUBSCRIBED: () => contactOf({}, { suppression: "unsubscribed" }),
    BOUNCED: () => contactOf({}, { suppression: "bounced" }),
    BLOCKED: () => contactOf({}, { suppression: "blocked" }),
    ALREADY_ENROLLED: () => inSequence(),
    INBOX_NOT_CONNECTED: () => contactOf({ hasConnectedInbox: false }),
    SENDER_LIMIT_REACHED: () => contactOf({ dailyLimit: 0 }),
  };

  /** The codes that the workflow gets for a contact of each reason. */
  async function codesOf(
    contactIds: readonly string[],
    inputs: Record<string, string> = {},
    of: SimulatedPortal = portal,
  ): Promise<Record<string, string | undefined>[]> {
    const run = of.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds,
      inputs: {
        sequence_id: [...of.sequences.keys()][0] ?? "",
        sender_mode: "contact_owner",
        ...(of === portal && { preset_id: presetId }),
        ...inputs,
      },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    return contactIds.map((id) => {
      const outputs = run.executions.find(({ contactId }) => contactId === id)?.outputs ?? {};
      return { code: outputs["error_code"], message: outputs["error_message"] };
    });
  }

  const codes = Object.keys(REASONS);
  const contacts = (): string[] => Object.values(REASONS).map((make) => make());

  test.each([
    ["subCategory", "null"],
    ["errorType", "null"],
    ["errors.subCategory", "object"],
    ["errors.errorType", "number"],
    ["errors.code", "null"],
    ["context", "object"],
    ["message", "number"],
    ["message-end", "null"],
  ] as const)("by its name in %s, beside members that are %s", async (refusalName, refusalMembers) => {
    running.simulator.setOpenQuestions({ refusalName, refusalMembers, refusalWords: "neutral" });
    const told = await codesOf(contacts());
    expect(told.map(({ code }) => code)).toEqual(codes);
  });

  test.each(["known", "other"] as const)("by its words alone, the %s ones", async (refusalWords) => {
    running.simulator.setOpenQuestions({ refusalName: "nowhere", refusalMembers: "null", refusalWords });
    const told = await codesOf(contacts());
    expect(told.map(({ code }) => code)).toEqual(codes);
  });

  test("and not by the name of a contact, whatever people call it", async () => {
    running.simulator.setOpenQuestions({ refusalName: "nowhere", refusalWords: "other" });
    const names = ["SequenceError.UNSUBSCRIBED", "SequenceStandardFriendlyError.BLOCKED_ADDRESS"];
    const ids = names.map((firstname) => inSequence({ properties: { firstname, lastname: null } }));
    const told = await codesOf(ids);
    expect(told.map(({ code }) => code)).toEqual(["ALREADY_ENROLLED", "ALREADY_ENROLLED"]);
  });

  test("in words that say nothing, which the admin reads instead of the JSON around them", async () => {
    const silent: Partial<OpenQuestions> = { refusalName: "nowhere", refusalWords: "neutral" };
    running.simulator.setOpenQuestions({ ...silent, refusalMembers: "object" });
    const [told] = await codesOf([contactOf({}, { suppression: "unsubscribed" })]);
    expect(told).toEqual({
      code: "HUBSPOT_REJECTED",
      message: expect.stringMatching(/HubSpot said: The request could not be processed\.$/),
    });
  });

  test("as a sequence that is not there, by an id that HubSpot calls invalid", async () => {
    running.simulator.setOpenQuestions({ enrollNotFound: "invalid-id" });
    const [told] = await codesOf([contactOf({})], { sequence_id: "999999" });
    expect(told?.code).toBe("SEQUENCE_NOT_FOUND");
  });

  describe("of which HubSpot only says 404", () => {
    beforeEach(() => {
      running.simulator.setOpenQuestions({ enrollNotFound: "bare" });
    });

    test("as the sequence's if HubSpot has the contact, without a call that is for user-level apps alone", async () => {
      const [told] = await codesOf([contactOf({})], { sequence_id: "999999" });
      expect(told?.code).toBe("SEQUENCE_NOT_FOUND");
      expect(requestsTo(/sequences\/2026-09\/\d+$/)).toBe(0);
    });

    test("as the contact's if HubSpot no longer has it", async () => {
      const { id } = portal.addContact();
      running.simulator.failNext({
        endpoint: "enroll",
        fault: "slowWork",
        ms: 500,
        portalId: portal.portalId,
      });
      const told = codesOf([id]);
      await running.simulator.waitFor(() => portal.traffic.requestsOf("enroll") > 0);
      portal.deleteContact(id);
      expect((await told)[0]?.code).toBe("CONTACT_NOT_FOUND");
    });

    test("by our copy of the sequences if HubSpot does not tell of the contact, and never as the sender's", async () => {
      const closed = addPlainPortal(running.simulator, { contacts: 2 });
      await running.install(closed);
      await running.simulator.waitFor(() => closed.traffic.requestsOf("owners") > 0);
      closed.withdrawScopes(["crm.objects.contacts.read"]);
      const [first = "", second = ""] = closed.contacts.keys();
      const [unknown] = await codesOf([first], { sequence_id: "999999" }, closed);
      expect(unknown?.code).toBe("SEQUENCE_NOT_FOUND");
      const [sequence] = closed.sequences.values();
      if (sequence !== undefined) sequence.deleted = true;
      const [deleted] = await codesOf([second], {}, closed);
      expect(deleted).toMatchObject({
        code: "HUBSPOT_REJECTED",
        message: expect.stringMatching(/HubSpot said: resource not found/),
      });
    });
  });
});
