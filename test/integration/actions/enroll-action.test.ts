import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_OUTPUTS, ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { SigningPlan } from "../../../src/simulator/world/signing.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/** Of a portal that is not connected: readable, so it is answered 200. */
const READABLE = { callbackId: "x", origin: { portalId: 1 }, object: { objectId: 1 } };

/** Every output of the action, without a value. */
const NO_OUTPUTS = Object.fromEntries(
  ["hs_execution_state", ...ENROLL_OUTPUTS].map((name): [string, string] => [name, ""]),
);

describe("POST /hubspot/actions/enroll", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let sequenceId: string;
  let callbackNumber = 0;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { contacts: 20 });
    sequenceId = [...portal.sequences.keys()][0] ?? "";
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, {
      what: "the directory sync",
    });
  });

  afterAll(() => running.close());

  const contactAt = (index: number): string => [...portal.contacts.keys()][index] ?? "";

  function call(
    changes: {
      contactId?: string;
      inputs?: Record<string, unknown>;
      portalId?: number;
      callbackId?: string;
    } = {},
  ) {
    callbackNumber += 1;
    const callbackId = changes.callbackId ?? `ap-test-${callbackNumber}`;
    portal.callbacks.expect(callbackId);
    const contactId = changes.contactId ?? contactAt(0);
    const inputs = changes.inputs ?? { sequence_id: sequenceId, sender_mode: "contact_owner" };
    const contact = portal.contacts.get(contactId);
    return {
      callbackId,
      body: {
        callbackId,
        origin: {
          portalId: changes.portalId ?? portal.portalId,
          actionDefinitionId: 1,
          actionDefinitionVersion: 1,
        },
        context: { source: "WORKFLOWS", workflowId: 77 },
        object: { objectId: Number(contactId), objectType: "CONTACT", properties: contact?.properties ?? {} },
        inputFields: inputs,
        fields: inputs,
      },
    };
  }

  async function post(body: unknown, options: { plan?: SigningPlan; headers?: Record<string, string> } = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const url = running.publicUrl + ENROLL_ROUTE;
    const signed = running.simulator.sign({ method: "POST", url, body: text }, options.plan);
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(options.headers ?? signed) },
      body: text,
    });
    const answer = await response.text();
    return {
      status: response.status,
      json: answer === "" ? undefined : (JSON.parse(answer) as { outputFields?: Record<string, string> }),
    };
  }

  const wasRefused = async (callbackId: string): Promise<boolean> => {
    const { rowCount } = await running.db.database.pool.query(
      `SELECT FROM executions WHERE callback_id = $1 AND completion_tries > 0`,
      [callbackId],
    );
    return rowCount === 1;
  };

  const stored = async (callbackId: string): Promise<number> => {
    const { rows } = await running.db.database.pool.query(
      `SELECT count(*)::int AS count FROM executions WHERE callback_id = $1`,
      [callbackId],
    );
    return rows[0].count;
  };

  test("refuses a call without a signature, and stores nothing", async () => {
    const { callbackId, body } = call();
    expect((await post(body, { headers: {} })).status).toBe(401);
    expect(await stored(callbackId)).toBe(0);
  });

  test("refuses a call whose body was changed after signing", async () => {
    const { callbackId, body } = call();
    const url = running.publicUrl + ENROLL_ROUTE;
    const headers = running.simulator.sign({ method: "POST", url, body: JSON.stringify(body) });
    expect((await post({ ...body, extra: 1 }, { headers })).status).toBe(401);
    expect(await stored(callbackId)).toBe(0);
  });

  test.each([
    ["text that is not JSON", "{nonsense"],
    ["no callback id", JSON.stringify({ origin: { portalId: 1 }, object: { objectId: 1 } })],
    ["no portal id", JSON.stringify({ callbackId: "x", origin: {}, object: { objectId: 1 } })],
    ["no object id", JSON.stringify({ callbackId: "x", origin: { portalId: 1 }, object: {} })],
    ["a callback id with a NUL", JSON.stringify({ ...READABLE, callbackId: "ap-\u0000-1" })],
    ["a callback id with half a character", JSON.stringify({ ...READABLE, callbackId: "ap-\ud800-1" })],
    ["a list", "[]"],
    ["nothing", ""],
  ])("answers 400 to %s", async (_what, body) => {
    expect((await post(READABLE)).status).toBe(200);
    expect((await post(body)).status).toBe(400);
  });

  test("answers 413 to a body over 256 KiB, unread", async () => {
    const { callbackId, body } = call();
    expect((await post({ ...body, padding: "x".repeat(257 * 1024) })).status).toBe(413);
    expect(await stored(callbackId)).toBe(0);
  });

  test("tells a disconnected portal so, with every output of the action, and stores nothing", async () => {
    const { callbackId, body } = call({ portalId: 999_999 });
    const answer = await post(body);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      outputFields: {
        ...NO_OUTPUTS,
        hs_execution_state: "FAIL_CONTINUE",
        enrollment_status: "FAILED",
        error_code: "NOT_CONNECTED",
        error_message: expect.any(String),
        sequence_id: sequenceId,
      },
    });
    expect(await stored(callbackId)).toBe(0);
  });

  test("a call stored before its portal was disconnected is held at every delivery, like any other", async () => {
    const leaving = addPlainPortal(running.simulator, { contacts: 1 });
    await running.install(leaving);
    const { callbackId, body } = call({ portalId: leaving.portalId });
    const { pool } = running.db.database;
    // Whoever drains the portal must not be done before it is gone.
    await pool.query(
      `INSERT INTO portal_settings (portal_id, paused_at) VALUES ($1, now())
         ON CONFLICT (portal_id) DO UPDATE SET paused_at = now()`,
      [leaving.portalId],
    );
    const first = await post(body);
    await pool.query(`UPDATE portals SET status = 'DISCONNECTED' WHERE portal_id = $1`, [leaving.portalId]);
    const another = { ...body, callbackId: `${callbackId}-another` };
    const [again, fresh] = await Promise.all([post(body), post(another)]);
    expect(first.json?.outputFields?.["hs_execution_state"]).toBe("BLOCK");
    expect(again).toEqual(first);
    expect(fresh.json?.outputFields?.["error_code"]).toBe("NOT_CONNECTED");
  });

  test.each([
    ["no sequence", { sender_mode: "contact_owner" }, "No sequence"],
    ["a sequence that is no id", { sequence_id: "abc", sender_mode: "contact_owner" }, "sequence"],
    ["an unknown sender mode", { sequence_id: "1", sender_mode: "moon" }, "Send from"],
    ["no sender mode", { sequence_id: "1" }, "Send from"],
    ["a specific user but none named", { sequence_id: "1", sender_mode: "specific_user" }, "sender"],
    [
      "an alias that is no address",
      { sequence_id: "1", sender_mode: "contact_owner", sender_alias: "x" },
      "alias",
    ],
    [
      "an unknown policy",
      { sequence_id: "1", sender_mode: "contact_owner", if_already_enrolled: "maybe" },
      "already",
    ],
  ])("answers INVALID_INPUT at once to %s, and nothing is sent", async (_what, inputs, word) => {
    const { callbackId, body } = call({ inputs });
    const posts = portal.enrollments.factsOf(contactAt(0)).posts;
    const answer = await post(body);
    expect(answer.status).toBe(200);
    expect(answer.json?.outputFields).toEqual({
      ...NO_OUTPUTS,
      hs_execution_state: "FAIL_CONTINUE",
      enrollment_status: "FAILED",
      error_code: "INVALID_INPUT",
      error_message: expect.any(String),
      sequence_id: "sequence_id" in inputs ? inputs.sequence_id : "",
    });
    expect(answer.json?.outputFields?.["error_message"]).toContain(word);
    expect(portal.enrollments.factsOf(contactAt(0)).posts).toBe(posts);
    expect(portal.callbacks.get(callbackId)?.received).toEqual([]);
  });

  test.each(["sequence_id", "sender_user_id", "rotation_id", "preset_id", "sender_alias", "not_before"])(
    "answers INVALID_INPUT to %s with a character where it is cut, with half of one, or with a NUL",
    async (name) => {
      for (const given of [`${"1".repeat(63)}🚀`, `${"1".repeat(319)}🚀`, "1\ud83d", "\ude801", "1\u0000"]) {
        const senderMode = { sender_user_id: "specific_user", rotation_id: "rotation" }[name];
        const inputs = { sequence_id: sequenceId, sender_mode: senderMode ?? "contact_owner", [name]: given };
        const { status, json } = await post(call({ inputs }).body);
        expect([status, json?.outputFields?.["error_code"]]).toEqual([200, "INVALID_INPUT"]);
      }
    },
  );

  test("reads an input from `fields` where `inputFields` lacks it, and ignores unknown ones", async () => {
    const { callbackId, body } = call({ contactId: contactAt(1) });
    const { inputFields: _, ...rest } = body;
    await post({
      ...rest,
      inputFields: { sequence_id: sequenceId, surprise: "x" },
      fields: { sender_mode: "contact_owner" },
    });
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
      enrollment_status: "ENROLLED",
    });
  });

  test("the same call delivered ten times at once is stored, enrolled and completed once", async () => {
    const contactId = contactAt(2);
    const { callbackId, body } = call({ contactId });
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(body)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([
        JSON.stringify({
          status: 200,
          json: { outputFields: { hs_execution_state: "BLOCK", hs_expiration_duration: "P7D" } },
        }),
      ]),
    );
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(await post(body)).toEqual(answers[0]);
    expect(await stored(callbackId)).toBe(1);
    expect(portal.enrollments.factsOf(contactId).posts).toBe(1);
    expect(portal.callbacks.get(callbackId)?.received).toHaveLength(1);
  });

  test("takes a contact id of 64 bits, digit by digit", async () => {
    const { callbackId, body } = call();
    const text = JSON.stringify(body).replace(/"objectId":\d+/, '"objectId":9007199254740993');
    expect((await post(text)).status).toBe(200);
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    const { rows } = await running.db.database.pool.query(
      `SELECT contact_id FROM executions WHERE callback_id = $1`,
      [callbackId],
    );
    expect(rows).toEqual([{ contact_id: "9007199254740993" }]);
  });

  test("sends as the chosen user, with the alias", async () => {
    const sender = portal.senders[1];
    const contactId = contactAt(3);
    if (sender !== undefined) sender.aliases.push("sales@acme.example");
    const { callbackId, body } = call({
      contactId,
      inputs: {
        sequence_id: sequenceId,
        sender_mode: "specific_user",
        sender_user_id: String(sender?.userId),
        sender_alias: "sales@acme.example",
      },
    });
    await post(body);
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
      enrollment_status: "ENROLLED",
      sender_user_id: String(sender?.userId),
      sender_email: sender?.email,
    });
  });

  test("without a default sender, “portal default” says that nobody can send", async () => {
    const { callbackId, body } = call({
      contactId: contactAt(4),
      inputs: { sequence_id: sequenceId, sender_mode: "portal_default" },
    });
    await post(body);
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
      error_code: "NO_SENDER_AVAILABLE",
    });
  });

  test("with a default sender set, “portal default” sends as that user", async () => {
    const sender = portal.senders[0];
    await running.db.database.prisma.portalSettings.upsert({
      where: { portalId: BigInt(portal.portalId) },
      create: { portalId: BigInt(portal.portalId), defaultSenderUserId: BigInt(sender?.userId ?? 0) },
      update: { defaultSenderUserId: BigInt(sender?.userId ?? 0) },
    });
    const { callbackId, body } = call({
      contactId: contactAt(4),
      inputs: { sequence_id: sequenceId, sender_mode: "portal_default" },
    });
    await post(body);
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
      enrollment_status: "ENROLLED",
      sender_email: sender?.email,
    });
  });

  test("a contact already in a sequence is a success under skip and a failure under fail", async () => {
    const outputs = async (policy: string) => {
      const { callbackId, body } = call({
        contactId: contactAt(4),
        inputs: { sequence_id: sequenceId, sender_mode: "contact_owner", if_already_enrolled: policy },
      });
      await post(body);
      await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
      return portal.callbacks.get(callbackId)?.accepted?.outputFields;
    };
    // The sequence by name, too: a later step may say in a task which one the contact was meant for.
    const { name } = portal.sequences.get(sequenceId) ?? {};
    expect(await outputs("skip")).toMatchObject({
      hs_execution_state: "SUCCESS",
      enrollment_status: "ALREADY_ENROLLED",
      error_code: "",
      sequence_name: name,
    });
    expect(await outputs("fail")).toMatchObject({
      hs_execution_state: "FAIL_CONTINUE",
      enrollment_status: "ALREADY_ENROLLED",
      error_code: "ALREADY_ENROLLED",
      sequence_name: name,
    });
  });

  test("a deleted sequence is distinguished from a deleted contact", async () => {
    const { callbackId, body } = call({
      contactId: contactAt(5),
      inputs: { sequence_id: "5555", sender_mode: "contact_owner" },
    });
    await post(body);
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
      error_code: "SEQUENCE_NOT_FOUND",
      enrolled_at: "",
    });
  });

  test("if the call carries no properties, the contact is read from HubSpot", async () => {
    const { callbackId, body } = call({ contactId: contactAt(6) });
    const { properties: _, ...object } = body.object;
    await post({ ...body, object });
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
      enrollment_status: "ENROLLED",
    });
  });

  test("a v2 signature alone is valid, a stale v3 next to a valid v2 is not", async () => {
    const good = call({ contactId: contactAt(7) });
    expect((await post(good.body, { plan: { v2: "good" } })).status).toBe(200);
    const stale = call({ contactId: contactAt(8) });
    expect((await post(stale.body, { plan: { v2: "good", v3: "stale" } })).status).toBe(401);
    expect(await stored(stale.callbackId)).toBe(0);
  });

  test("a completion that was refused because HubSpot had not read our answer yet is sent again, and accepted", async () => {
    const { body } = call({ contactId: contactAt(10) });
    const callbackId = "ap-overtaken-answer";
    await post({ ...body, callbackId });
    while (!(await wasRefused(callbackId))) await new Promise((resolve) => setTimeout(resolve, 20));
    // Now HubSpot has read it, and ten seconds have passed.
    portal.callbacks.expect(callbackId);
    await running.db.database.pool.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE callback_id = $1`,
      [callbackId],
    );
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
  });

  test("a call whose completion HubSpot refused is completed when HubSpot delivers it again", async () => {
    const contactId = contactAt(9);
    const { body } = call({ contactId });
    // HubSpot does not hold this callback: as when our answer to the first delivery was lost on the way.
    const callbackId = "ap-lost-answer";
    const refused = () => portal.callbacks.strangers.get(callbackId)?.length ?? 0;
    await post({ ...body, callbackId });
    await running.simulator.waitFor(() => refused() > 0);
    portal.callbacks.expect(callbackId);
    await post({ ...body, callbackId });
    await running.simulator.waitFor(() => portal.callbacks.get(callbackId)?.accepted !== undefined);
    expect(portal.callbacks.get(callbackId)?.accepted?.outputFields).toMatchObject({
      enrollment_status: "ENROLLED",
    });
    expect(portal.enrollments.factsOf(contactId).posts).toBe(1);
  });
});
