import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { COMMAND_KEY, runLine, toldEnrollment, toldProblem } from "../../support/command-line.js";
import { startListener, type Listener } from "../../support/simulated-app.js";

let api: Listener | undefined;

afterEach(() => api?.close());

async function listen(answer: Parameters<typeof startListener>[0]): Promise<Listener> {
  api = await startListener(answer);
  return api;
}

describe("enroll", () => {
  test("sends what was typed, waits until the enrollment is decided, and shows it", async () => {
    const { url, received } = await listen((_request, index) => ({
      status: index === 0 ? 202 : 200,
      body: toldEnrollment({ status: index === 0 ? "QUEUED" : "ENROLLED" }),
    }));

    const run = await runLine(
      "enroll --email ada@lead.example --sequence Inbound --sender ada@acme.example --cooldownDays=7 --wait",
      { url },
    );

    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toMatch(/status +ENROLLED\n/);
    expect(received.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      "POST /api/v1/enrollments?wait=30",
      "GET /api/v1/enrollments/8123",
    ]);
    expect(received[0]?.headers.authorization).toBe(`Bearer ${COMMAND_KEY}`);
    expect(JSON.parse(received[0]?.body ?? "")).toEqual({
      contact: { email: "ada@lead.example" },
      sequence: { name: "Inbound" },
      sender: { mode: "specific_user", email: "ada@acme.example" },
      cooldownDays: 7,
    });
  });

  test.each([
    ["ENROLLED", 0],
    ["ALREADY_ENROLLED", 0],
    ["WAITING", 0],
    ["SKIPPED", 1],
    ["FAILED", 1],
    ["CANCELLED", 1],
  ])("ends an enrollment that is %s with exit code %i", async (status, code) => {
    const { url } = await listen(() => ({ status: 200, body: toldEnrollment({ status }) }));
    const run = await runLine("enroll --contact 901 --sequence 51 --wait 5 --json", { url });
    expect(run.code).toBe(code);
    expect(JSON.parse(run.stdout)).toEqual(toldEnrollment({ status }));
  });

  test("is repeated under the same idempotency key while the app is busy or its answer is lost", async () => {
    const { url, received } = await listen((_request, index) => {
      if (index === 0) return 0;
      if (index === 1) return toldProblem(429, "RATE_LIMITED", { "retry-after": "1" });
      if (index === 2) return toldProblem(409, "IDEMPOTENCY_KEY_IN_USE");
      return { status: 202, body: toldEnrollment() };
    });
    const startedAt = Date.now();

    const run = await runLine("enroll --contact 901 --sequence 51", { url });

    expect(run.code).toBe(0);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_000);
    expect(received).toHaveLength(4);
    expect(new Set(received.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
  });

  test("says how to repeat itself if nobody knows whether the request arrived", async () => {
    const { url, received } = await listen(() => 0);
    const run = await runLine("enroll --contact 901 --sequence 51", { url });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain(`--idempotency-key ${String(received[0]?.headers["idempotency-key"])}`);
  });
});

describe("exit codes", () => {
  test.each([
    [401, "UNAUTHENTICATED", 3],
    [403, "FORBIDDEN", 3],
    [404, "NOT_FOUND", 1],
    [409, "NOT_CONNECTED", 1],
    [422, "SEQUENCE_NOT_FOUND", 1],
    [400, "INVALID_REQUEST", 2],
    [500, "UNAVAILABLE", 4],
  ])("tell %i %s by %i", async (status, problem, code) => {
    const { url } = await listen(() => toldProblem(status, problem));
    const run = await runLine("status 8123 --json", { url });
    expect(run).toMatchObject({ code, stdout: "" });
    expect(run.stderr).toContain(`Said ${problem}.`);
  });

  test("are 2 for wrong use, and nothing is sent", async () => {
    const { url, received } = await listen(() => 200);
    const lines = [
      "",
      "dance",
      "list --limit 0",
      "list --limit 5 --limit 6",
      "list --no-such-option",
      "status",
      "status ../imports",
      "status 1 2",
      "enroll --sequence 51",
      "enroll --email a@b.example --contact 1 --sequence 51",
      "enroll --email a@b.example",
      "enroll --email a@b.example --sequence 5 --sender nobody",
      "import no-such-file.csv",
    ];
    for (const line of lines) expect([line, (await runLine(line, { url })).code]).toEqual([line, 2]);
    expect((await runLine("list", { url: "ftp://somewhere" })).code).toBe(2);
    expect(received).toEqual([]);
  });

  test("are 4 if nothing answers, another program answers, or the answer is a redirect", async () => {
    const listener = await listen(({ url: path }) =>
      path.includes("email=moved")
        ? { status: 302, headers: { location: "/x" }, body: {} }
        : { body: ["a page"] },
    );
    const { url } = listener;
    expect((await runLine("list", { url })).code).toBe(4);
    expect((await runLine("list --email moved", { url })).code).toBe(4);
    await listener.close();
    api = undefined;
    expect((await runLine("list", { url })).code).toBe(4);
  });

  test("are explained by the help of each command, which needs no app", async () => {
    const url = "http://127.0.0.1:9";
    const commands = "enroll import import-close list status cancel retry sequences senders stats".split(" ");
    for (const name of commands) {
      const run = await runLine([name, "--help"], { url });
      expect(run).toMatchObject({ code: 0, stderr: "" });
      expect(run.stdout).toContain(`sequence-enroller ${name}`);
      for (const line of run.stdout.split("\n")) expect([line, line.length <= 80]).toEqual([line, true]);
      expect((await runLine("--help", { url })).stdout).toContain(`\n  ${name}`);
    }
  });
});

describe("lists", () => {
  test("follow the cursor to the end and print a line of JSON for each", async () => {
    const { url, received } = await listen((_request, index) => ({
      body: {
        results: [toldEnrollment({ id: String(index) })],
        paging: index < 2 ? { next: { after: `c${index}` } } : undefined,
      },
    }));

    const run = await runLine("list --status FAILED,SKIPPED --sequence-id 51 --all --json", { url });

    expect(run).toMatchObject({ code: 0, stderr: "" });
    const lines = run.stdout.trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(["0", "1", "2"]);
    const query = "sequenceId=51&status=FAILED%2CSKIPPED&limit=200";
    expect(received.map(({ url: path }) => path)).toEqual([
      `/api/v1/enrollments?${query}`,
      `/api/v1/enrollments?${query}&after=c0`,
      `/api/v1/enrollments?${query}&after=c1`,
    ]);
  });

  test("take a value that begins with a hyphen, as the API's own do", async () => {
    const { url, received } = await listen(() => ({ body: { results: [] } }));
    expect(await runLine("list --sort -createdAt --reference -7", { url })).toMatchObject({ code: 0 });
    expect(received[0]?.url).toBe("/api/v1/enrollments?reference=-7&sort=-createdAt");
  });

  test.each(["is cut off", "ends in the middle of its JSON"])(
    "whose second page %s print whole lines alone, and end with 4",
    async (how) => {
      const server = createServer(({ url = "" }, response) => {
        const first = { results: [toldEnrollment({ id: "1" })], paging: { next: { after: "c1" } } };
        if (!url.includes("after=")) return response.end(JSON.stringify(first));
        const half = JSON.stringify({ results: [toldEnrollment({ id: "2" })] }).slice(0, 40);
        if (how !== "is cut off") return response.end(half);
        response.writeHead(200, { "content-length": 5_000 });
        return response.write(half, () => response.destroy());
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const run = await runLine("list --all --json", { url: `http://127.0.0.1:${port}` });
      server.close();
      expect(run.code).toBe(4);
      expect(run.stdout.split("\n").map((line) => line && (JSON.parse(line) as { id: string }).id)).toEqual([
        ...["1", ""],
      ]);
      expect(run.stderr).not.toBe("");
    },
  );

  test("say how to go on after one page", async () => {
    const { url } = await listen(() => ({
      body: { results: [toldEnrollment()], paging: { next: { after: "next" } } },
    }));
    const run = await runLine("list", { url });
    expect(run.stdout).toContain("ada@lead.example");
    expect(run.stderr).toContain("--after next");
  });
});

test("a sender of Close is found among all who may send, however many there are", async () => {
  const close = {
    statuses: [{ status: "active", subscriptions: 1, isChosen: true }],
    sequences: [{ id: "seq_1", name: "Welcome", subscriptions: 1, sequenceId: "51" }],
    senders: [{ email: "ada@close.example", subscriptions: 1, userId: null }],
  };
  let status = "READING";
  const { url, received } = await listen(({ method, url: path }) => {
    if (path.includes("/senders")) {
      const isLast = path.includes("after=second");
      const userId = isLast ? "900" : "1";
      const email = isLast ? "Ada@acme.example" : "bob@acme.example";
      return {
        body: { results: [{ userId, email }], ...(!isLast && { paging: { next: { after: "second" } } }) },
      };
    }
    if (path.endsWith("/close-reads")) status = "READING";
    if (method === "GET") status = status === "READING" ? "UPLOADED" : status;
    if (path.endsWith("/dry-run")) status = "CHECKED";
    return { body: { id: "12", status, close, counts: { rows: 1, handled: 1, enrolled: 1 } } };
  });
  const environment = { CLOSE_API_KEY: "api_key" };
  const run = await runLine("import-close --sender ada@close.example=ada@ACME.example", { url, environment });
  expect(run.code).toBe(0);
  const chosen = received.find(({ method }) => method === "PATCH");
  expect(JSON.parse(chosen?.body ?? "")).toMatchObject({
    close: { senders: { "ada@close.example": "900" } },
  });
  const nobody = await runLine("import-close --sender ada@close.example=zoe@acme.example", {
    url,
    environment,
  });
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining("zoe@acme.example")]);
});

test("Ctrl-C while Close is read says how to go on with it, without the key", async () => {
  const close = {
    statuses: [{ status: "active", subscriptions: 1, isChosen: true }],
    sequences: [{ id: "seq_1", name: "Welcome", subscriptions: 1, sequenceId: "51" }],
    senders: [],
  };
  const interruption = new AbortController();
  let status = "READING";
  const { url, received } = await listen(({ method, url: path }) => {
    if (method === "GET" && interruption.signal.aborted && status === "READING") status = "UPLOADED";
    if (method === "GET") interruption.abort();
    if (path.endsWith("/dry-run")) status = "CHECKED";
    return { body: { id: "12", status, close, counts: { rows: 1, handled: 1, enrolled: 1 } } };
  });
  const environment = { CLOSE_API_KEY: "api_key" };
  const run = await runLine("import-close", { url, environment, interrupted: interruption.signal });
  expect(run).toMatchObject({ code: 130, stdout: "" });
  const [, command = ""] = /To go on: sequence-enroller (import-close .+)/.exec(run.stderr) ?? [];
  expect((await runLine(command, { url })).code).toBe(0);
  expect(received.filter(({ method }) => method === "POST").map(({ url: path }) => path)).toEqual([
    "/api/v1/close-reads",
    "/api/v1/imports/12/dry-run",
  ]);
});

test("what a terminal would obey reaches neither stdout nor stderr", async () => {
  const hostile = "\u001b[2J\u009b31m\u202eevil\u0007\r\n";
  const { url } = await listen(({ url: path }) =>
    path.includes("8")
      ? { body: toldEnrollment({ reference: hostile }) }
      : { status: 404, body: { code: hostile } },
  );
  for (const line of ["status 8", "status 8 --json", "status 9"]) {
    const { stdout, stderr } = await runLine(line, { url });

    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
  const { stdout } = await runLine("status 8 --json", { url });
  expect(JSON.parse(stdout)).toMatchObject({ reference: hostile });
});
