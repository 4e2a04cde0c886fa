import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { columnsHolding } from "../../support/markers.js";
import { startOddHubSpot, type OddHubSpot } from "../../support/odd-hubspot.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const ADDRESS = "ann.words-77aa02@private.example";
const CONTACT = "881100223344";

let hubspot: OddHubSpot;
let running: RunningApp;

beforeAll(async () => {
  hubspot = await startOddHubSpot(() => running.simulator.url);
  running = await startRunningApp({ environment: { HUBSPOT_API_URL: hubspot.url } });
  running.simulator.setWebhookTarget({ url: running.publicUrl + WEBHOOK_ROUTE });
});

afterAll(async () => {
  await running.close();
  await hubspot.close();
});

const leftOf = (words: readonly string[]) => columnsHolding(running.db.database.pool, words);

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waits = 0; waits < 300 && !(await holds()); waits += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

interface Told {
  readonly status: number;
  readonly body: (sender: string) => Record<string, unknown>;
  readonly where: string;
  readonly kept: string;
}

const OF_THE_SENDER: Told = {
  status: 403,
  body: (sender) => ({
    message: `${sender} may not enroll ${ADDRESS} (contact ${CONTACT}).`,
    category: "NO",
  }),
  where: "SELECT refused_message AS words FROM senders WHERE portal_id = $1 AND refused_message IS NOT NULL",
  kept: "SENDER may not enroll (an address) (contact (a number)).",
};
const OF_THE_ACCOUNT: Told = {
  status: 429,
  body: () => ({
    policyName: "DAILY",
    message: `Contact ${CONTACT} could not be read, ${ADDRESS.replace("@", "%40")}.`,
  }),
  where:
    "SELECT circuit_reason AS words FROM portal_drains WHERE portal_id = $1 AND circuit_reason IS NOT NULL",
  kept: "Contact (a number) could not be read, (an address)",
};

test.each([
  ["the sender", OF_THE_SENDER],
  ["the account's trouble", OF_THE_ACCOUNT],
])(
  "what HubSpot says of %s is kept without the contact, whose deletion it outlives",
  async (_what, told) => {
    const portal = addPlainPortal(running.simulator, { contacts: 0 });
    await running.install(portal);
    const sender = portal.user(portal.admin.userId);
    const { ownerId } = portal.ownerOfUser(sender.userId);
    portal.addContact({ id: CONTACT, properties: { email: ADDRESS, hubspot_owner_id: ownerId } });
    const body = told.body(sender.email);
    hubspot.replace = ({ method, url }) =>
      method === "POST" && url.includes("/enrollments") ? { status: told.status, body } : undefined;
    const ran = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [CONTACT],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await ran.answered;
    const { pool } = running.db.database;
    const wordsKept = async () =>
      (await pool.query<{ words: string }>(told.where, [portal.portalId])).rows.map(({ words }) => words);
    const again = `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND state IN ('QUEUED', 'UNCERTAIN')`;
    let kept: string[] = [];
    await until(async () => {
      await pool.query(again, [portal.portalId]);
      kept = await wordsKept();
      return kept.length > 0;
    });
    expect(kept).toEqual([told.kept.replace("SENDER", sender.email)]);
    portal.erasePrivately(CONTACT);
    await until(async () => (await leftOf([ADDRESS, CONTACT])).length === 0);
    expect(await leftOf([ADDRESS, CONTACT])).toEqual([]);
  },
  40_000,
);
