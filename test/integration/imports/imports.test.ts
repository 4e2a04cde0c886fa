import { describe, expect, test } from "@jest/globals";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { until } from "../../support/authorizing.js";
import {
  addContacts,
  api,
  app,
  defaults,
  portal,
  reach,
  upload,
  useImportsStage,
} from "../../support/imports-stage.js";
import { addPlainPortal } from "../../support/start-app.js";

useImportsStage();

/** Requests to enroll that the simulated HubSpot took. */
const enrolled = () => portal.enrollments.total;

describe("an import", () => {
  test("of a file is tried, run to its end, and told row by row", async () => {
    const [first = "", second = "", third = ""] = addContacts(3, "told");
    const optedOut = portal.addContact({
      properties: { email: "out@lead.example", hs_email_optout: "true" },
    });
    const file = [
      "Name;E_Mail",
      `=cmd();${first}`,
      `Ada;${second.toUpperCase()}`,
      `"Zo\nE";${third}`,
      `Again;${first}`,
      `Out;${optedOut.properties["email"] ?? ""}`,
      "Nobody;nobody@lead.example",
      "Wrong;not an address",
    ].join("\r\n");
    const uploaded = await upload(Buffer.from(`\ufeff${file}`, "utf16le"));
    expect(uploaded.status).toBe(201);
    const { id } = uploaded.body;
    expect(uploaded.headers.get("location")).toBe(`/api/v1/imports/${id}`);
    expect(uploaded.body).toMatchObject({
      ...{ name: "Leads", status: "UPLOADED", columns: ["Name", "E_Mail"], mapping: { email: "E_Mail" } },
      counts: { rows: 7, handled: 0 },
    });
    const early = await api.post(`/api/v1/imports/${id}/start`);
    expect([early.status, early.body.errors[0].pointer]).toEqual([422, "/defaults"]);

    await api.ask("PATCH", `/api/v1/imports/${id}`, { body: { defaults: defaults() } });
    expect((await api.post(`/api/v1/imports/${id}/dry-run`)).status).toBe(202);
    const foreseen = await reach(id, "CHECKED");
    const expected = { rows: 7, handled: 7, enrolled: 3, failed: 2, duplicate: 1, invalid: 1, waiting: 0 };
    expect(foreseen.counts).toMatchObject({
      ...expected,
      reasons: { UNSUBSCRIBED: 1, CONTACT_NOT_FOUND: 1, INVALID_INPUT: 1 },
    });
    expect(enrolled()).toBe(0);

    await api.post(`/api/v1/imports/${id}/start`);
    const done = await reach(id, "DONE");
    expect(done.counts).toEqual(foreseen.counts);
    expect(enrolled()).toBe(3);
    const results = await api.get(`/api/v1/imports/${id}/results.csv`);
    expect(results.headers.get("content-type")).toMatch(/^text\/csv/);
    const lines = results.text.replace("\ufeff", "").split(/\r?\n(?=\S+,|'=|"Zo)/);
    expect(lines[0]).toBe("Name,E_Mail,result,reason_code,reason,enrollment_id");
    expect(lines[1]).toMatch(/^'=cmd\(\),told0@lead\.example,ENROLLED,,,\d+$/);
    expect(results.text).toContain("An earlier row names the same contact.");
    const again = await api.post(`/api/v1/imports/${id}/start`);
    expect([again.status, again.body.code]).toEqual([409, "CONFLICT"]);
  });

  test("is taken from a form, and a file that cannot be read leaves nothing", async () => {
    const form = (boundary: string, content: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n${content}\r\n--${boundary}--\r\n`;
    const type = { "Content-Type": "multipart/form-data; boundary=xyz" };
    const taken = await upload(form("xyz", "Email\na@lead.example\n"), type);
    expect([taken.status, taken.body.counts?.rows]).toEqual([201, 1]);
    const count = async () => (await app.db.database.pool.query("SELECT FROM imports")).rowCount;
    const before = await count();
    const damaged = Buffer.concat([
      Buffer.from("Email\nzoë@lead.example\n".repeat(2_000)),
      Buffer.from([0xff, 10]),
    ]);
    for (const [body, headers, status] of [
      [damaged, { "Content-Type": "text/csv" }, 422],
      ["", { "Content-Type": "text/csv" }, 422],
      ["Email\n", { "Content-Type": "text/csv" }, 422],
      [`Email\n${"x".repeat(20_000)}\n`, { "Content-Type": "text/csv" }, 413],
      [form("other", "Email\na@lead.example\n"), type, 422],
      ["Email\n", { "Content-Type": "text/plain" }, 415],
    ] as const) {
      const answer = await upload(body, headers);
      expect([answer.status, answer.body.code]).toEqual([status, expect.stringMatching(/^[A-Z_]+$/)]);
    }
    expect(await count()).toBe(before);
    expect((await app.db.database.pool.query("SELECT FROM import_rows")).rowCount).toBe(8);
  });

  test("that two processes run, is paused and goes on, handles each row once", async () => {
    const another = await app.startAnother();
    const emails = addContacts(250, "twice");
    const { body } = await upload(`Email\n${emails.join("\n")}\n`);
    await api.ask("PATCH", `/api/v1/imports/${body.id}`, { body: { defaults: defaults() } });
    await api.post(`/api/v1/imports/${body.id}/start`);
    await until(
      async () => (await api.get(`/api/v1/imports/${body.id}`)).body.counts.handled > 0,
      "no row was handled",
    );
    const paused = await api.post(`/api/v1/imports/${body.id}/pause`);
    expect(paused.status).toBe(202);
    expect((await api.post(`/api/v1/imports/${body.id}/pause`)).status).toBe(409);
    await api.post(`/api/v1/imports/${body.id}/resume`);
    await until(
      async () => (await api.get(`/api/v1/imports/${body.id}`)).body.counts.handled >= 100,
      "not a hundred rows were handled",
    );
    await another.close({ graceMs: 1_000 });
    const { rows } = await app.db.database.pool.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM executions WHERE import_id = $1 GROUP BY contact_id ORDER BY 1 DESC LIMIT 1",
      [body.id],
    );
    expect(rows).toEqual([{ count: 1 }]);
    await api.post(`/api/v1/imports/${body.id}/cancel`);
    const ended = await reach(body.id, "CANCELLED");
    expect(ended.counts.rows).toBe(250);
    await until(async () => {
      const open = await app.db.database.pool.query(
        "SELECT FROM executions WHERE import_id = $1 AND decided_at IS NULL",
        [body.id],
      );
      return open.rowCount === 0;
    }, "the canceled rows are still open");
    expect((await api.ask("DELETE", `/api/v1/imports/${body.id}`)).status).toBe(204);
    expect((await api.get(`/api/v1/imports/${body.id}`)).status).toBe(404);
    const kept = await app.db.database.pool.query("SELECT FROM executions WHERE import_id = $1", [body.id]);
    expect(kept.rowCount).toBeGreaterThan(0);
  });

  test("refuses what its rows name for the reasons for which the API refuses a call", async () => {
    const [email = ""] = addContacts(1, "alike");
    const name = [...portal.sequences.values()][0]?.name ?? "";
    const { body } = await upload(
      `Email,Sequence,Sender\n${email},Nowhere,\na-${email},${name},stranger@acme.example\nb-${email},${name},\n`,
    );
    const mapping = { email: "Email", sequenceName: "Sequence", senderEmail: "Sender" };
    const made = { mapping, defaults: { presetId: "404" } };
    await api.ask("PATCH", `/api/v1/imports/${body.id}`, { body: made });
    await api.post(`/api/v1/imports/${body.id}/start`);
    const { counts } = await reach(body.id, "DONE");
    expect(counts).toMatchObject({ rows: 3, invalid: 3 });
    const results = (await api.get(`/api/v1/imports/${body.id}/results.csv`)).text;
    const asked = { contact: { email }, sequence: { name } };
    for (const wrong of [
      { ...asked, sequence: { name: "Nowhere" } },
      { ...asked, sender: { email: "stranger@acme.example" } },
      { ...asked, presetId: "404" },
    ]) {
      const refused = await api.post("/api/v1/enrollments", wrong);
      expect(refused.status).toBe(422);
      expect(results).toContain(`,INVALID,${refused.body.code},${refused.body.detail},`);
    }
  });

  test("is nobody else's", async () => {
    const other = addPlainPortal(app.simulator);
    await app.install(other);
    const stranger = createApiClient(app.publicUrl, await giveKey(app.db.database, other.portalId));
    const { body } = await upload("Email\na@lead.example\n");
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/results.csv"],
      ["DELETE", ""],
      ["POST", "/start"],
    ] as const)
      expect((await stranger.ask(method, `/api/v1/imports/${body.id}${path}`)).status).toBe(404);
    expect((await stranger.get("/api/v1/imports")).body.results).toEqual([]);
    const reader = createApiClient(
      app.publicUrl,
      await giveKey(app.db.database, portal.portalId, { scopes: ["enrollments:read"] }),
    );
    expect((await reader.post(`/api/v1/imports/${body.id}/start`)).status).toBe(403);
  });
});

describe("an upload with an Idempotency-Key", () => {
  const withKey = (key: string, text: string) =>
    upload(text, { "Content-Type": "text/csv", "Idempotency-Key": key });
  const countImports = async (): Promise<number> => (await api.get("/api/v1/imports")).body.results.length;

  test("that comes again makes nothing new and gets the first answer", async () => {
    const first = await withKey("leads-1", "Email\nada@lead.example\n");
    expect(first.status).toBe(201);
    const count = await countImports();
    const again = await withKey("leads-1", "Email\nada@lead.example\n");
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await countImports()).toBe(count);
  });

  test("is told that the first one is under way, and then gets its answer", async () => {
    let send: (text: string) => void = () => undefined;
    let end: () => void = () => undefined;
    const body = new ReadableStream({
      start: (controller) => {
        send = (text) => {
          controller.enqueue(Buffer.from(text));
        };
        end = () => {
          controller.close();
        };
      },
    });
    send("Email\nada@lead.example\n");
    const first = upload(body, { "Content-Type": "text/csv", "Idempotency-Key": "leads-slow" });
    await until(async () => {
      const open = "SELECT FROM api_requests WHERE status = 0";
      return (await app.db.database.pool.query(open)).rowCount === 1;
    }, "the first request has not begun");
    const meanwhile = await withKey("leads-slow", "Email\nada@lead.example\nzoe@lead.example\n");
    expect([meanwhile.status, meanwhile.body.code]).toEqual([409, "IDEMPOTENCY_KEY_IN_USE"]);
    expect(meanwhile.headers.get("retry-after")).toBe("1");
    const count = await countImports();
    send("zoe@lead.example\n");
    end();
    const made = await first;
    expect(made.status).toBe(201);
    const again = await withKey("leads-slow", "Email\nada@lead.example\nzoe@lead.example\n");
    expect([again.status, again.body]).toEqual([201, made.body]);
    expect(await countImports()).toBe(count + 1);
  });

  test("that ends early gives its key back at once", async () => {
    const damaged = await withKey("leads-3", "Email\n");
    expect(damaged.status).toBe(422);
    expect((await withKey("leads-3", "Email\nada@lead.example\n")).status).toBe(201);
  });

  test("is refused with another file, of which nothing stays", async () => {
    await withKey("leads-2", "Email\nada@lead.example\n");
    const count = await countImports();
    const other = await withKey("leads-2", "Email\nzoe@lead.example\n");
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    expect(await countImports()).toBe(count);
    const left = "SELECT FROM imports WHERE state = 'UPLOADING'";
    expect((await app.db.database.pool.query(left)).rowCount).toBe(0);
    const wrong = await withKey("x".repeat(256), "Email\nada@lead.example\n");
    expect([wrong.status, wrong.body.code]).toEqual([400, "INVALID_REQUEST"]);
  });
});
