import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { startOddHubSpot, type OddHubSpot } from "../../support/odd-hubspot.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

interface ContactRecord {
  id: string;
  properties: Record<string, unknown>;
}

let hubspot: OddHubSpot;
let running: RunningApp;
let portal: SimulatedPortal;

beforeAll(async () => {
  hubspot = await startOddHubSpot(() => running.simulator.url);
  running = await startRunningApp({ environment: { HUBSPOT_API_URL: hubspot.url }, propertiesFreshMs: 0 });
});

afterAll(async () => {
  await running.close();
  await hubspot.close();
});

beforeEach(async () => {
  hubspot.edit = (_, body) => body;
  portal = addPlainPortal(running.simulator, { contacts: 6 });
  await running.install(portal);
});

/** Changes one contact wherever HubSpot answers with it, among others or alone. */
function editContact(contactId: string, change: (record: ContactRecord) => unknown): void {
  hubspot.edit = ({ url }, body) => {
    if (!url.includes("/contacts")) return body;
    const edit = (record: ContactRecord): unknown =>
      String(record.id) === contactId ? change(record) : record;
    const { results } = body as { results?: ContactRecord[] };
    return results === undefined
      ? edit(body as ContactRecord)
      : { ...(body as object), results: results.map(edit) };
  };
}

function run(route: string, contactIds: readonly string[], inputs: Record<string, string> = {}): WorkflowRun {
  return portal.runAction({
    actionUrl: running.publicUrl + route,
    contactIds: [...contactIds],
    inputs: {
      sequence_id: [...portal.sequences.keys()][0] ?? "",
      sender_mode: "contact_owner",
      ...inputs,
    },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
}

const untilTold = (ran: WorkflowRun, contactIds: readonly string[]): Promise<void> =>
  running.simulator.waitFor(
    () => contactIds.every((id) => !["waiting", "blocked"].includes(ran.executionOf(id).state)),
    { what: "the other contacts" },
  );

describe("one contact of an odd shape among many", () => {
  test.each<[string, (record: ContactRecord) => unknown]>([
    ["a value that is an object", ({ id, properties }) => ({ id, properties: { ...properties, email: {} } })],
    ["no properties", ({ id }) => ({ id })],
    ["properties that are a list", ({ id }) => ({ id, properties: ["email"] })],
  ])("with %s keeps only itself from being enrolled", async (_what, change) => {
    const [odd = "", ...others] = [...portal.contacts.keys()];
    editContact(odd, change);
    const ran = run(ENROLL_ROUTE, [odd, ...others]);
    await untilTold(ran, others);
    for (const id of others)
      expect(ran.executionOf(id).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(portal.enrollments.factsOf(odd).posts).toBe(0);
    hubspot.edit = (_, body) => body;
    await running.db.database.pool.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE state = 'QUEUED'`,
    );
    await ran.finished;
    expect(ran.executionOf(odd).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
  });

  test("keeps only itself waiting for its sequence to end", async () => {
    const [odd = "", ...others] = [...portal.contacts.keys()];
    editContact(odd, ({ id }) => ({ id, properties: { hs_sequences_is_enrolled: {} } }));
    const ran = run(WAIT_FOR_SEQUENCE_END_ROUTE, [odd, ...others]);
    await ran.answered;
    // Nobody is in a sequence, which is believed a minute after the call.
    await running.db.database.pool.query(
      `UPDATE executions SET accepted_at = accepted_at - interval '5 minutes', due_at = now() - interval '1 millisecond' WHERE portal_id = $1`,
      [portal.portalId],
    );
    await untilTold(ran, others);
    for (const id of others) expect(ran.executionOf(id).outputs).toMatchObject({ outcome: "NOT_ENROLLED" });
    expect(ran.executionOf(odd).state).toBe("blocked");
  });

  test("whose numbers and flags are not text is read as if they were", async () => {
    const [odd = ""] = portal.contacts.keys();
    editContact(odd, ({ id, properties }) => ({ id, properties: { ...properties, hs_email_optout: true } }));
    const ran = run(ENROLL_ROUTE, [odd]);
    await ran.finished;
    expect(ran.executionOf(odd).outputs).toMatchObject({ error_code: "UNSUBSCRIBED" });
  });
});

describe("an enrollment that HubSpot shows", () => {
  const editLookUp = (change: (enrollment: Record<string, unknown>) => unknown): void => {
    hubspot.edit = ({ method, url }, body) =>
      method === "GET" && url.includes("/enrollments/") ? change(body as Record<string, unknown>) : body;
  };

  async function checked(): Promise<Record<string, string | undefined>> {
    const [id = ""] = portal.contacts.keys();
    portal.enrollInUi(id);
    const ran = run(CHECK_ENROLLMENT_ROUTE, [id]);
    await ran.finished;
    return ran.executionOf(id).outputs;
  }

  test("is reported without the texts that cannot be read", async () => {
    editLookUp((shown) => ({ ...shown, sequenceName: 7, enrolledByEmail: {}, enrolledBy: [] }));
    expect(await checked()).toMatchObject({ is_enrolled: "true", days_enrolled: "0" });
  });

  test.each([
    ["seconds", (ms: number) => Math.floor(ms / 1_000)],
    ["milliseconds in digits", String],
  ])("is dated right if its date is in %s", async (_what, write) => {
    const at = Math.floor(Date.now() / 1_000 - 3.5 * 86_400) * 1_000;
    editLookUp((shown) => ({ ...shown, enrolledAt: write(at) }));
    expect(await checked()).toMatchObject({ enrolled_at: new Date(at).toISOString(), days_enrolled: "3" });
  });

  test.each([undefined, "soon", "9999-12-31T00:00:00Z", 8_640_000_000_000_001])(
    "has no date if HubSpot's is %j",
    async (enrolledAt) => {
      editLookUp((shown) => ({ ...shown, enrolledAt }));
      expect(await checked()).toMatchObject({ is_enrolled: "true", enrolled_at: "", days_enrolled: "" });
    },
  );
});

describe("a contact's latest enrollment, from which a cooldown is counted", () => {
  test.each(["99999999999999999", "+275760-09-13", "9999-12-31T00:00:00Z", "-1", "soon"])(
    "counts as unknown at %s: the contact is enrolled",
    async (date) => {
      const [id = ""] = portal.contacts.keys();
      portal.contact(id).properties["hs_latest_sequence_enrolled_date"] = date;
      const ran = run(ENROLL_ROUTE, [id], { cooldown_days: "30" });
      await ran.finished;
      expect(ran.executionOf(id).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
      expect(running.logLines.filter(({ level }) => level === "error")).toEqual([]);
    },
  );
});
