import { expect, test } from "@jest/globals";
import { until } from "../../support/authorizing.js";
import {
  addContacts,
  api,
  app,
  defaults,
  portal,
  reach,
  useImportsStage,
} from "../../support/imports-stage.js";

useImportsStage();

/** An import that could be started. @returns its id. */
async function prepare(emails: readonly string[]): Promise<string> {
  const { body } = await api.ask("POST", "/api/v1/imports", {
    body: `Email\n${emails.join("\n")}\n`,
    headers: { "Content-Type": "text/csv" },
  });
  const { id } = body as { id: string };
  await api.ask("PATCH", `/api/v1/imports/${id}`, { body: { defaults: defaults() } });
  return id;
}

const ask = async (id: string, verb: string): Promise<number> =>
  (await api.post(`/api/v1/imports/${id}/${verb}`)).status;

const countsOf = async (id: string) => (await api.get(`/api/v1/imports/${id}`)).body.counts;

const strangers = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, row) => `${name}${row}@lead.example`);

/** How often each contact was enrolled by the import: the most of all. */
async function mostOfOne(id: string): Promise<number | undefined> {
  const { rows } = await app.db.database.pool.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM executions WHERE import_id = $1 GROUP BY contact_id ORDER BY 1 DESC LIMIT 1",
    [id],
  );
  return rows[0]?.count;
}

test("of starts at the same moment one is taken, and each contact is enrolled once", async () => {
  const id = await prepare(addContacts(30, "started"));
  const before = portal.enrollments.total;
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(id, "start")));
  expect(answers.toSorted((a, b) => a - b)).toEqual([202, ...Array<number>(7).fill(409)]);
  expect((await reach(id, "DONE")).counts).toMatchObject({ rows: 30, handled: 30, enrolled: 30 });
  expect(portal.enrollments.total - before).toBe(30);
  const { rowCount } = await app.db.database.pool.query(
    "SELECT FROM audit_entries WHERE subject = 'import' AND action = 'STARTED'",
  );
  expect(rowCount).toBe(1);
});

test("a start and a dry run at the same moment: one of them is taken", async () => {
  const id = await prepare(addContacts(5, "either"));
  const [dryRun, start] = await Promise.all([ask(id, "dry-run"), ask(id, "start")]);
  expect([dryRun, start].toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual([202, 409]);
  await reach(id, start === 202 ? "DONE" : "CHECKED");
  expect(await mostOfOne(id)).toBe(start === 202 ? 1 : undefined);
});

test("an import that is canceled while it is tried stays canceled, and enrolls nobody", async () => {
  const before = portal.enrollments.total;
  const id = await prepare([...strangers(1_500, "tried"), ...addContacts(5, "tried-known")]);
  expect(await ask(id, "dry-run")).toBe(202);
  expect(await ask(id, "start")).toBe(409);
  await until(async () => (await countsOf(id)).handled > 0, "no row was tried");
  const [canceled, again] = await Promise.all([ask(id, "cancel"), ask(id, "cancel")]);
  expect([canceled, again].toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual([202, 409]);
  await until(async () => {
    const open = "SELECT FROM imports WHERE id = $1 AND is_cancelling";
    return (await app.db.database.pool.query(open, [id])).rowCount === 0;
  }, "nobody looked after what waits");
  const { counts } = await reach(id, "CANCELLED");
  expect(counts.handled).toBeLessThan(1_505);
  for (const verb of ["start", "dry-run", "pause", "resume"]) expect(await ask(id, verb)).toBe(409);
  expect((await api.get(`/api/v1/imports/${id}/results.csv`)).status).toBe(200);
  expect(portal.enrollments.total).toBe(before);
});

test("an import that is paused and resumed in quick turns, also at the same moment, handles each row once", async () => {
  const before = portal.enrollments.total;
  const emails = addContacts(40, "turned");
  const id = await prepare([...strangers(400, "turned-nobody"), ...emails]);
  await ask(id, "start");
  const turns: number[] = [];
  for (let turn = 0; turn < 10; turn += 1)
    turns.push(...(await Promise.all(["pause", "resume", "pause"].map((verb) => ask(id, verb)))));
  expect([...new Set(turns)].filter((status) => status !== 202 && status !== 409)).toEqual([]);
  if ((await api.get(`/api/v1/imports/${id}`)).body.status === "PAUSED") await ask(id, "resume");
  expect((await reach(id, "DONE")).counts).toMatchObject({ handled: 440, enrolled: 40, failed: 400 });
  expect(await mostOfOne(id)).toBe(1);
  expect(portal.enrollments.total - before).toBe(40);
});
