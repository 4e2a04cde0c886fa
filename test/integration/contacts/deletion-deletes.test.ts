import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { eraseHistories } from "#worker/sweeps/erase-history.js";
import { pruneHistory } from "#worker/sweeps/prune-history.js";
import { createLogger } from "#platform/observability/logger.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createBrowser, hiddenField, type Browser } from "../../support/browser.js";
import { columnsHolding, plantEverywhere } from "../../support/markers.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const MARKER = "marker-3f9c27";
const ADDRESS = "ann.marker-77aa01@private.example";
const CONTACT = "991100223344";

/** What tells of the account, its people and what they decided: nothing of a contact is written there. */
const OF_THE_ACCOUNT = [
  ...["portals", "portal_tokens", "portal_settings", "portal_drains", "portal_admins", "portal_viewers"],
  ...["senders", "users", "undo_steps", "activity_views", "snoozed_causes"],
  ...[
    "owners",
    "flows",
    "flow_steps",
    "made_flows",
    "api_keys",
    "webhook_subscriptions",
    "sequences",
    "rotations",
    "presets",
    "alerts",
    "alert_marks",
    "alert_opt_outs",
    "alert_addresses",
    // Only the sequence that a contact was taken out of stays: its id goes with the stamp.
    "unenroll_setups",
    "unenrollments",
    "grant_revocations",
  ],
];
/** Of an execution: HubSpot's ids of the call and of what is the account's own, our codes, and names of the account's own things. */
const OF_AN_EXECUTION = [
  ...["callback_id", "workflow_id", "sequence_id", "sequence_name", "sender_email", "enrollment_id"],
  ...["kind", "state", "execution_state", "enrollment_status", "error_code", "source"],
]
  .map((column) => `executions.${column}`)
  .concat(
    ["sequence_id", "workflow_id", "outcome", "lost_because"].map(
      (column) => `followed_enrollments.${column}`,
    ),
    // Hashes, and the address of what was made.
    ["key_hash", "request_hash", "headers"].map((column) => `api_requests.${column}`),
    // What a webhook says about a contact is read when it is sent; only what it says about the account and its senders is kept.
    ["data", "order_key", "problem", "state", "type"].map((column) => `webhook_deliveries.${column}`),
  );
/** Who pressed what, and what they pressed: no search is kept (see below). */
const OF_A_CHANGE = [
  ...["audit_entries.user_email", "audit_entries.action", "audit_entries.before", "audit_entries.subject"],
  ...["bulk_jobs.user_email", "bulk_jobs.action", "bulk_jobs.state", "bulk_jobs.stopped_reason"],
];
/** No rows of accounts: migrations, what expired, and the queue, whose jobs hold an account's number (deleted with it). */
const WITHOUT_ACCOUNTS = [
  /^_?[a-z_]*migrations$/,
  /^revoked_sessions$/,
  /^redeemed_states$/,
  /^action_types$/,
  /^journal_position$/,
  /^api_rate_limits$/,
  /^pgboss\./,
];

/** Access that was given up: HubSpot is told first, for two weeks at most. */
const UNTIL_HUBSPOT_KNOWS = ["grant_revocations"];

let running: RunningApp;
let portal: SimulatedPortal;
let admin: Browser;
let portalId: bigint;

beforeEach(async () => {
  running = await startRunningApp({ environment: { ROLE: "web" } });
  portal = addPlainPortal(running.simulator, { contacts: 1 });
  portalId = BigInt(portal.portalId);
  running.simulator.setWebhookTarget({ url: running.publicUrl + WEBHOOK_ROUTE });
  const installer = await running.install(portal);
  admin = createBrowser(running.publicUrl);
  for (const pair of installer.cookies().split("; ")) {
    const [name = "", value = ""] = pair.split("=", 2);
    admin.setCookie(name, decodeURIComponent(value));
  }
});

afterEach(() => running.close());

const pool = () => running.db.database.pool;
const logger = createLogger({ level: "silent" });
const prune = () => pruneHistory({ pool: pool(), logger, isEnding: () => false });
const eraseNow = () => eraseHistories({ pool: pool(), logger, isEnding: () => false });

/** Columns that hold one of the words, but those that may. */
async function leftIn(words: readonly string[], mayKeep: readonly string[] = []): Promise<string[]> {
  const tables = mayKeep.filter((name) => !name.includes("."));
  return (await columnsHolding(pool(), words)).filter(
    (name) => !mayKeep.includes(name) && !tables.includes(name.split(".", 1)[0] ?? ""),
  );
}

async function press(path: string, fields: Record<string, string>): Promise<number> {
  const { text } = await admin.get("/settings/danger");
  return (await admin.post(path, { form_token: hiddenField(text, "form_token"), ...fields })).status;
}

const pressDanger = (what: string) => press(`/settings/danger/${what}`, { confirmation: String(portalId) });

async function call(callbackId: string): Promise<Response> {
  const url = running.publicUrl + ENROLL_ROUTE;
  const body = JSON.stringify({
    callbackId,
    origin: { portalId: portal.portalId },
    object: { objectId: Number(CONTACT), properties: { email: ADDRESS } },
    inputFields: { sequence_id: [...portal.sequences.keys()][0], sender_mode: "contact_owner" },
  });
  const headers = running.simulator.sign({ method: "POST", url, body });
  return fetch(url, { method: "POST", headers, body });
}

/** What a call carries of its contact. */
const CARRIED = JSON.stringify({ properties: { note: MARKER }, requestContext: { note: MARKER } });

/** An execution of the contact that has ended, with the marker wherever it can be. */
const finished = {
  executions: { state: "COMPLETED", kind: "ENROLL", error_code: "BOUNCED", retry_of: null },
  flow_entries: { state: "DONE" },
};

test("a privacy deletion leaves nothing of the contact, whatever was stored of it and wherever an admin searched for it", async () => {
  portal.addContact({ id: CONTACT, properties: { email: ADDRESS } });
  expect((await call("ap-private")).status).toBe(200);
  for (const query of [`q=${ADDRESS}`, `contact=${CONTACT}`, `q=${CONTACT}`]) {
    const fields = Object.fromEntries(new URLSearchParams(`action=cancel&status=waiting&${query}`));
    expect(await press("/settings/activity/bulk", fields)).toBe(303);
  }
  expect(await leftIn([ADDRESS, CONTACT], ["bulk_jobs.filter"])).toEqual(
    expect.not.arrayContaining([expect.stringMatching(/^audit_entries/)]),
  );
  const given = {
    ...finished,
    past_enrollments: { contact_id: CONTACT },
    import_rows: { contact_key: ADDRESS, contact_id: CONTACT },
    flow_entries: { contact_id: CONTACT, email: ADDRESS },
    bulk_jobs: { filter: JSON.stringify({ search: ADDRESS }) },
    audit_entries: {
      subject: "executions",
      subject_name: ADDRESS,
      after: JSON.stringify({ job: "1", filter: { search: ADDRESS } }),
    },
    contact_fates: { contact_key: "0".repeat(64), became_id: CONTACT },
    api_requests: { body: JSON.stringify({ contact: { email: ADDRESS }, note: MARKER }) },
  };
  await plantEverywhere(pool(), {
    portalId,
    marker: MARKER,
    given: { ...given, executions: { ...finished.executions, contact_id: CONTACT, request: CARRIED } },
  });
  await pool().query(`UPDATE portals SET status = 'CONNECTED' WHERE portal_id = $1`, [portalId]);
  portal.erasePrivately(CONTACT);
  await running.simulator.waitFor(() => !portal.contacts.has(CONTACT));
  for (let waits = 0; waits < 50 && (await leftIn([CONTACT, ADDRESS])).length > 0; waits += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await leftIn([CONTACT, ADDRESS])).toEqual([]);
  const mayKeep = [
    ...[...OF_THE_ACCOUNT, ...OF_AN_EXECUTION, ...OF_A_CHANGE],
    // A hash; what HubSpot said of other calls than this contact's.
    ...["contact_fates", "past_calls", "past_enrollments.sequence_id"],
    // What the file is called and looks like, and what became of the row.
    ...["imports", "import_rows.result", "import_rows.reason_code", "import_rows.foreseen"],
    // Which workflow it was put in, and whether HubSpot took it.
    ...["flow_id", "outcome", "request_id", "stamp", "state"].map((column) => `flow_entries.${column}`),
  ];
  expect(await leftIn([MARKER], mayKeep)).toEqual([]);
});

test("deleting the history leaves bare ids and outcomes at once, and nothing of them once HubSpot asks no more", async () => {
  await plantEverywhere(pool(), { portalId, marker: MARKER, given: finished });
  await pool().query(`UPDATE portals SET status = 'CONNECTED' WHERE portal_id = $1`, [portalId]);
  await pool().query(`UPDATE portal_settings SET erase_requested_at = NULL, erased_before = NULL`);
  expect(await pressDanger("erase")).toBe(303);
  await eraseNow();
  const rest = [...OF_THE_ACCOUNT, "audit_entries", "bulk_jobs", "contact_fates", "past_calls"];
  expect(await leftIn([MARKER], [...rest, ...OF_AN_EXECUTION, "executions.contact_id"])).toEqual([]);
  const versions = `SELECT xmin::text, xmax::text FROM executions`;
  const before = (await pool().query(versions)).rows;
  expect(before).toHaveLength(1);
  expect(await pressDanger("erase")).toBe(303);
  await eraseNow();
  expect((await pool().query(versions)).rows).toEqual(before);
  await pool().query(
    `UPDATE executions SET accepted_at = now() - interval '9 days', decided_at = now() - interval '9 days', completed_at = now() - interval '9 days'`,
  );
  await prune();
  // Answers of the API are kept for a day.
  expect(await leftIn([MARKER], [...rest, "api_requests", "followed_enrollments"])).toEqual([]);
});

test("an account that left is deleted whole after thirty days, with a word to its admins a week before", async () => {
  expect(await pressDanger("disconnect")).toBe(303);
  const without = await plantEverywhere(pool(), {
    portalId,
    marker: MARKER,
    given: { ...finished, portals: { status: "DISCONNECTED" } },
  });
  expect(without.filter((table) => !WITHOUT_ACCOUNTS.some((name) => name.test(table)))).toEqual([]);
  await pool().query(
    `INSERT INTO pgboss.job (name, data, singleton_key) SELECT name, $1, $2 FROM pgboss.queue LIMIT 1`,
    [JSON.stringify({ kept: MARKER }), String(portalId)],
  );
  const left = async (days: number) => {
    await pool().query(
      `UPDATE portals SET disconnected_at = now() - $1 * interval '1 day', installed_at = now() - interval '90 days'`,
      [days],
    );
    await prune();
    return (await leftIn([MARKER], UNTIL_HUBSPOT_KNOWS)).length > 0;
  };
  const told = async () =>
    (await pool().query(`SELECT FROM alerts WHERE kind = 'DELETION_AHEAD' AND portal_id = $1`, [portalId]))
      .rowCount;
  expect(await left(22)).toBe(true);
  expect(await told()).toBe(0);
  expect(await left(24)).toBe(true);
  expect(await told()).toBe(2);
  expect(await left(31)).toBe(true);
  await pool().query(`UPDATE portals SET erasure_told_at = now() - interval '8 days'`);
  expect(await left(29)).toBe(true);
  expect(await left(31)).toBe(false);
  expect(await leftIn([String(portalId)], UNTIL_HUBSPOT_KNOWS)).toEqual([]);
  await prune();
});

test("an account is disconnected however long its texts are, and whatever stands where its keys and its grant should be", async () => {
  const long = `${MARKER} ${"word ".repeat(2_000)}`;
  await plantEverywhere(pool(), { portalId, marker: long, given: finished });
  await pool().query(`UPDATE portals SET status = 'CONNECTED' WHERE portal_id = $1`, [portalId]);
  expect(await pressDanger("disconnect")).toBe(303);
  const { rows } = await pool().query(`SELECT status FROM portals`);
  expect(rows).toEqual([{ status: "DISCONNECTED" }]);
});

test("connecting again before keeps the account, and its thirty days begin again when it leaves again", async () => {
  expect(await pressDanger("disconnect")).toBe(303);
  await pool().query(
    `UPDATE portals SET disconnected_at = now() - interval '40 days', installed_at = now() - interval '90 days',
            erasure_told_at = now() - interval '10 days'`,
  );
  await running.install(portal);
  await prune();
  const { rows } = await pool().query(`SELECT status FROM portals`);
  expect(rows).toEqual([{ status: "CONNECTED" }]);
  // As an earlier release disconnects it, which does not note when.
  await pool().query(`UPDATE portals SET status = 'DISCONNECTED', updated_at = now()`);
  await prune();
  expect((await pool().query(`SELECT FROM portals`)).rowCount).toBe(1);
});

test("a call whose execution was deleted enrolls nobody again, however it was deleted", async () => {
  for (const callbackId of ["ap-pruned", "ap-erased"]) expect((await call(callbackId)).status).toBe(200);
  const old = `now() - interval '500 days'`;
  await pool().query(
    `UPDATE executions SET state = 'COMPLETED', accepted_at = ${old}, decided_at = ${old}, completed_at = ${old} WHERE callback_id = 'ap-pruned'`,
  );
  await prune();
  const ago = `now() - interval '9 days'`;
  await pool().query(
    `UPDATE executions SET state = 'COMPLETED', accepted_at = ${ago}, decided_at = ${ago}, completed_at = ${ago}`,
  );
  await pressDanger("erase");
  await eraseNow();
  expect((await pool().query("SELECT FROM executions")).rowCount).toBe(0);
  for (const callbackId of ["ap-pruned", "ap-erased"]) expect((await call(callbackId)).status).toBe(200);
  expect((await pool().query("SELECT FROM executions")).rowCount).toBe(0);
  expect((await call("ap-new")).status).toBe(200);
  expect((await pool().query("SELECT FROM executions")).rowCount).toBe(1);
  await pool().query("DELETE FROM executions");
});
