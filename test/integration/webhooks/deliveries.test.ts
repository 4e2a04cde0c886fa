import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { applyAction } from "#domain/history/admin-actions.js";
import { addWebhook, changeWebhook, rotateWebhookSecret } from "#domain/subscriptions/change-webhooks.js";
import { listDeliveries, redeliver } from "#domain/subscriptions/deliveries.js";
import type { WebhookEvent } from "#domain/subscriptions/events.js";
import { resealSubscriptions } from "#domain/subscriptions/reseal.js";
import { claimDueWebhooks } from "#domain/subscriptions/send-queue.js";
import { tellEnds } from "#domain/subscriptions/tell-ends.js";
import { createCipher } from "#domain/vault/cipher.js";
import { createLogger } from "#platform/observability/logger.js";
import { createPoster, type Poster } from "#platform/outbound/post.js";
import { readEnrollment } from "#domain/enrollments/read-enrollments.js";
import { deleteOldRecords } from "#worker/sweeps/delete-old-records.js";
import { WebhookSender } from "#worker/webhooks/webhook-sender.js";
import { adminOf } from "../../support/actors.js";
import { until } from "../../support/authorizing.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";
import { isSignedWith } from "../../support/signed-message.js";
import { startListener, type Listener, type ReceivedRequest } from "../../support/simulated-app.js";
import { KEYS } from "../../support/site.js";

const cipher = createCipher(KEYS);
const logger = createLogger({ level: "silent" });
let portalId = 83_000n;

let db: TestDatabase;
let receiver: Listener;
let poster: Poster;
let sender: WebhookSender;
/** What the receiver answers to a message, by its path. */
let answerTo: (path: string) => number;
let privateDestinations: ReadonlySet<string>;

beforeAll(async () => {
  db = await createTestDatabase();
  receiver = await startListener(({ url }) => {
    const status = answerTo(url);
    return status === 204 ? 204 : { status, body: { said: "x".repeat(3_000) } };
  });
  privateDestinations = new Set([new URL(receiver.url).host]);
  poster = createPoster(privateDestinations);
});

afterAll(async () => {
  await poster.close();
  await receiver.close();
  await db.drop();
});

beforeEach(async () => {
  portalId += 1n;
  receiver.received.length = 0;
  answerTo = () => 204;
  sender = newSender();
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
});

afterEach(async () => {
  await sender.stop();
  await pool().query("DELETE FROM webhook_subscriptions");
});

const pool = () => db.database.pool;
const setup = () => ({ pool: pool(), cipher });

function newSender(opener = cipher): WebhookSender {
  const tools = { pool: pool(), cipher: opener, poster, logger };
  return new WebhookSender({ ...tools, readEnrollment: (owner, id) => readEnrollment(pool(), owner, id) });
}

async function subscribe(path: string, events: readonly WebhookEvent[], url = receiver.url) {
  const setup = { pool: pool(), cipher, privateDestinations };
  const added = await addWebhook(setup, adminOf(portalId), { url: url + path, events, description: "" });
  if (added.kind !== "added") throw new Error(added.kind);
  return { webhookId: added.webhook.id, secret: added.secret };
}

/** An enrollment that was refused just now: an admin canceled it. */
async function refuse(seed: Partial<Parameters<typeof seedExecutions>[1][number]> = {}): Promise<bigint> {
  await seedExecutions(db.database, [{ portalId, contactEmail: "ada@lead.example", ...seed }]);
  const { id } = await db.database.prisma.execution.findFirstOrThrow({ orderBy: { id: "desc" } });
  const client = await pool().connect();
  await applyAction(client, "CANCEL", { portalId, ids: [id] });
  client.release();
  return id;
}

async function arrived(count: number, path = ""): Promise<ReceivedRequest[]> {
  const found = () => receiver.received.filter(({ url }) => url.startsWith(path));
  await until(() => {
    void sender.sendDue();
    return Promise.resolve(found().length >= count);
  }, `${count} messages did not arrive at ${path}`);
  return found();
}

const deliveriesOf = (webhookId: bigint) => listDeliveries(pool(), { portalId, webhookId, limit: 50 });

const settled = (webhookId: bigint) =>
  until(
    async () => (await deliveriesOf(webhookId)).every(({ triedAt }) => triedAt !== null),
    "a try did not end",
  );

/** Lets time pass: what waits is due. */
const passTime = () =>
  pool().query(
    "UPDATE webhook_deliveries SET due_at = now() - interval '1 millisecond' WHERE state = 'PENDING'",
  );

test("a refused enrollment is told once to those who asked, signed, as the API shows it", async () => {
  const { secret } = await subscribe("/wanted", ["enrollment.refused"]);
  await subscribe("/other", ["enrollment.enrolled"]);
  const id = await refuse({ sequenceId: "51", sequenceName: "Inbound" });
  const [one] = await arrived(1);
  expect(isSignedWith(secret, one!)).toBe(true);
  expect(JSON.parse(one!.body)).toMatchObject({
    type: "enrollment.refused",
    timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    data: {
      id: id.toString(),
      status: "CANCELLED",
      reason: { code: "CANCELLED" },
      contact: { email: "ada@lead.example" },
      sequence: { id: "51", name: "Inbound" },
      ended: null,
    },
  });
  expect(receiver.received.map(({ url }) => url)).toEqual(["/wanted"]);
});

test("a message that is not taken is tried again after 5 s, 30 s and so on to 12 h under one id, then given up", async () => {
  const { webhookId } = await subscribe("/failing", ["enrollment.refused"]);
  answerTo = () => 503;
  await refuse();
  const delays: number[] = [];
  let triedMs = 0;
  for (let tries = 1; tries <= 8; tries += 1) {
    await arrived(tries);
    const lastMs = triedMs;
    await until(async () => {
      triedMs = (await deliveriesOf(webhookId))[0]?.triedAt?.getTime() ?? 0;
      return triedMs > lastMs;
    }, "a try did not end");
    const [delivery] = await deliveriesOf(webhookId);
    delays.push(Math.round(((delivery!.nextTryAt?.getTime() ?? 0) - delivery!.triedAt!.getTime()) / 1_000));
    expect(delivery).toMatchObject({
      tries,
      httpStatus: 503,
      problem: "Your webhook returned 503.",
    });
    expect(Buffer.byteLength(delivery!.answer ?? "")).toBe(1_024);
    await passTime();
  }
  expect(delays.slice(0, 7)).toEqual([5, 30, 300, 1_800, 7_200, 21_600, 43_200]);
  const [delivery] = await deliveriesOf(webhookId);
  expect(delivery).toMatchObject({ state: "GIVEN_UP", nextTryAt: null });
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toEqual(
    new Set([delivery!.messageId]),
  );
  answerTo = () => 204;
  const again = await redeliver(setup(), adminOf(portalId), { webhookId, deliveryId: delivery!.id });
  expect(again.kind).toBe("requested");
  expect((await arrived(9)).at(-1)?.headers["webhook-id"]).toBe(delivery!.messageId);
});

/** The contact was enrolled, after all, and has replied. */
async function end(id: bigint): Promise<void> {
  await pool().query(
    `INSERT INTO followed_enrollments (portal_id, execution_id, decided_at, enrolled_at, outcome, ended_at, noted_at)
     VALUES ($1, $2, now(), now(), 'REPLIED', now(), now())`,
    [portalId, id],
  );
  await pool().query(
    "UPDATE executions SET enrollment_status = 'ENROLLED', error_code = NULL WHERE id = $1",
    [id],
  );
}

test("what ended while a webhook was off, or did not ask for it, is not told once it does", async () => {
  const off = await subscribe("/off", ["enrollment.ended"]);
  const other = await subscribe("/other", ["sender.refused"]);
  const change = (id: bigint, to: Omit<Parameters<typeof changeWebhook>[2], "id">) =>
    changeWebhook({ pool: pool(), cipher, privateDestinations }, adminOf(portalId), { id, ...to });
  await change(off.webhookId, { status: "DISABLED" });
  await end(await refuse());
  await change(off.webhookId, { status: "ACTIVE" });
  await change(other.webhookId, { events: ["enrollment.ended"] });
  const later = await refuse();
  await end(later);
  // What is changed of it later does not hide an end that is not told yet.
  await change(other.webhookId, { description: "Renamed", events: ["enrollment.ended", "sender.refused"] });
  await tellEnds(pool());
  const messages = await arrived(2);
  expect(messages.map(({ url }) => url).sort()).toEqual(["/off", "/other"]);
  expect(messages.map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id)).toEqual([
    ...[String(later), String(later)],
  ]);
});

test("the end of an enrollment is told after its beginning, however often that fails", async () => {
  const { webhookId } = await subscribe("/ordered", ["enrollment.refused", "enrollment.ended"]);
  answerTo = () => 500;
  const id = await refuse();
  await arrived(1);
  await settled(webhookId);
  await end(id);
  await tellEnds(pool());
  await tellEnds(pool());
  answerTo = () => 204;
  await passTime();
  const types = (await arrived(3)).map(({ body }) => (JSON.parse(body) as { type: string }).type);
  expect(types).toEqual(["enrollment.refused", "enrollment.refused", "enrollment.ended"]);
  expect(JSON.parse(receiver.received[2]!.body)).toMatchObject({ data: { ended: { outcome: "REPLIED" } } });
});

test("an endpoint that hangs delays nobody else, however much waits for it", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  privateDestinations = new Set([...privateDestinations, `127.0.0.1:${port}`]);
  const both = createPoster(privateDestinations);
  sender = new WebhookSender({
    ...{ pool: pool(), cipher, poster: both, logger },
    readEnrollment: (owner, execution) => readEnrollment(pool(), owner, execution),
  });
  await subscribe("/", ["enrollment.refused"], `http://127.0.0.1:${port}`);
  await subscribe("/quick", ["enrollment.refused"]);
  for (let number = 0; number < 20; number += 1) await refuse();
  const startedMs = Date.now();
  await arrived(20, "/quick");
  expect(Date.now() - startedMs).toBeLessThan(5_000);
  sockets.forEach((socket) => socket.destroy());
  silent.close();
  await sender.stop();
  await both.close();
});

test("410 switches an endpoint off at once and tells the admins; three days of failing do, too", async () => {
  const gone = await subscribe("/gone", ["enrollment.refused"]);
  const failing = await subscribe("/failing", ["enrollment.refused"]);
  answerTo = (path) => (path === "/gone" ? 410 : 500);
  await pool().query(
    "UPDATE webhook_subscriptions SET failing_since = now() - interval '73 hours' WHERE id = $1",
    [failing.webhookId],
  );
  await refuse();
  await arrived(2);
  const statuses = async () => {
    const { rows } = await pool().query<{ why: string }>(
      "SELECT status || ' ' || coalesce(disabled_reason, '') AS why FROM webhook_subscriptions WHERE portal_id = $1 ORDER BY id",
      [portalId],
    );
    return rows.map(({ why }) => why);
  };
  await until(async () => (await statuses()).every((why) => why.startsWith("DISABLED")), "not switched off");
  expect(await statuses()).toEqual(["DISABLED GONE", "DISABLED FAILING"]);
  expect((await deliveriesOf(gone.webhookId))[0]).toMatchObject({ state: "GIVEN_UP" });
  const alerts = await db.database.prisma.alert.findMany({ where: { portalId, channel: "EMAIL" } });
  expect(alerts.map(({ kind }) => kind)).toContain("WEBHOOK_OFF");
  const told = alerts.map(({ message }) => message).join("\n");
  expect(told).toContain("gone for good (410)");
  expect(told).toContain("Every try has failed for 3 days.");
  await refuse();
  expect(await deliveriesOf(gone.webhookId)).toHaveLength(1);
});

test("what a process had claimed when it died is sent by another one, under the same id", async () => {
  await subscribe("/after-a-crash", ["enrollment.refused"]);
  await refuse();
  const claim = { limit: 10, perEndpoint: 4, underWay: [], claimSeconds: 60 };
  const [claimed] = await claimDueWebhooks(pool(), claim);
  expect(await claimDueWebhooks(pool(), claim)).toEqual([]);
  await passTime();
  const [one] = await arrived(1);
  expect(one?.headers["webhook-id"]).toBe(claimed?.messageId);
});

test("while a secret is being replaced, messages are signed with both", async () => {
  const { webhookId, secret } = await subscribe("/rotating", ["enrollment.refused"]);
  const rotated = await rotateWebhookSecret({ pool: pool(), cipher }, adminOf(portalId), webhookId);
  await refuse();
  const [one] = await arrived(1);
  expect([isSignedWith(secret, one!), isSignedWith(rotated!.secret, one!)]).toEqual([true, true]);
  await pool().query("UPDATE webhook_subscriptions SET old_secret_until = now() - interval '1 second'");
  await refuse();
  const [, two] = await arrived(2);
  expect([isSignedWith(secret, two!), isSignedWith(rotated!.secret, two!)]).toEqual([false, true]);
});

test("what waits while its secret is replaced is signed with both, and after two replacements with the last two", async () => {
  const { webhookId, secret } = await subscribe("/waiting", ["enrollment.refused"]);
  const rotate = async () => (await rotateWebhookSecret(setup(), adminOf(portalId), webhookId))?.secret ?? "";
  answerTo = () => 503;
  await refuse();
  const [first] = await arrived(1);
  await settled(webhookId);
  const second = await rotate();
  await passTime();
  await arrived(2);
  await until(async () => (await deliveriesOf(webhookId))[0]?.tries === 2, "the second try did not begin");
  const third = await rotate();
  answerTo = () => 204;
  await until(async () => {
    await passTime();
    await sender.sendDue();
    return (await deliveriesOf(webhookId))[0]?.state === "DELIVERED";
  }, "it was not delivered");
  const signedWith = (one: ReceivedRequest | undefined) =>
    [secret, second, third].map((each) => one !== undefined && isSignedWith(each, one));
  expect(signedWith(first)).toEqual([true, false, false]);
  expect(signedWith(receiver.received[1])).toEqual([true, true, false]);
  expect(signedWith(receiver.received.at(-1))).toEqual([false, true, true]);
});

test("a message that is redelivered by many at the same moment is sent once more, and noted once", async () => {
  const { webhookId } = await subscribe("/again", ["enrollment.refused"]);
  await refuse();
  await arrived(1);
  await settled(webhookId);
  const [delivered] = await deliveriesOf(webhookId);
  const asked = Array.from({ length: 6 }, () =>
    redeliver(setup(), adminOf(portalId), { webhookId, deliveryId: delivered!.id }),
  );
  const kinds = (await Promise.all(asked)).map(({ kind }) => kind);
  expect(kinds.toSorted()).toEqual([...Array<string>(5).fill("pending"), "requested"]);
  await arrived(2);
  await settled(webhookId);
  await sender.sendDue();
  await sender.stop();
  expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([
    ...[delivered!.messageId, delivered!.messageId],
  ]);
  const { rowCount } = await pool().query(
    "SELECT FROM audit_entries WHERE portal_id = $1 AND action = 'SENT_AGAIN'",
    [portalId],
  );
  expect(rowCount).toBe(1);
});

test("nothing of an erased contact is kept or told", async () => {
  const { webhookId } = await subscribe("/erasing", ["enrollment.refused"]);
  answerTo = () => 500;
  await refuse({ contactId: "9077" });
  await arrived(1);
  await settled(webhookId);
  await applyContactChanges(pool(), [{ kind: "erased", portalId, contactId: "9077" }]);
  expect((await deliveriesOf(webhookId))[0]).toMatchObject({ answer: null, httpStatus: 500 });
  await passTime();
  const [, later] = await arrived(2);
  expect(JSON.parse(later!.body)).toMatchObject({ data: { contact: { id: null, email: null } } });
});

test("messages are listed and kept for seven days, and for as long as they wait", async () => {
  const { webhookId } = await subscribe("/kept", ["enrollment.refused"]);
  for (let number = 0; number < 3; number += 1) await refuse();
  await arrived(3);
  await settled(webhookId);
  const [, old, waiting] = await deliveriesOf(webhookId);
  await pool().query(
    "UPDATE webhook_deliveries SET created_at = now() - interval '169 hours' WHERE id = ANY ($1)",
    [[old!.id, waiting!.id]],
  );
  await pool().query(
    "UPDATE webhook_deliveries SET state = 'PENDING', due_at = now() + interval '1 hour' WHERE id = $1",
    [waiting!.id],
  );
  expect(await deliveriesOf(webhookId)).toHaveLength(1);
  const again = await redeliver(setup(), adminOf(portalId), { webhookId, deliveryId: old!.id });
  expect(again.kind).toBe("not-found");
  await deleteOldRecords(pool(), () => false);
  const left = await db.database.prisma.webhookDelivery.findMany({
    where: { portalId },
    orderBy: { id: "asc" },
  });
  expect(left.map(({ id }) => id)).toEqual([waiting!.id, (await deliveriesOf(webhookId))[0]!.id]);
});

test("after a key was replaced, addresses and secrets are sealed with the new one", async () => {
  const { secret } = await subscribe("/resealed", ["enrollment.refused"]);
  const [old] = KEYS;
  const fresh = { id: "k2", key: Buffer.alloc(32, 9) };
  expect(await resealSubscriptions(pool(), createCipher([fresh, old]))).toBe(1);
  expect(await resealSubscriptions(pool(), createCipher([fresh, old]))).toBe(0);
  sender = newSender(createCipher([fresh]));
  await refuse();
  const [one] = await arrived(1);
  expect(isSignedWith(secret, one!)).toBe(true);
});
