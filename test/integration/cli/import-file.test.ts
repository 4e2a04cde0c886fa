import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import {
  createServer,
  request as ask,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { runLine } from "../../support/command-line.js";
import { startListener, type Listener, type ReceivedRequest } from "../../support/simulated-app.js";

const COUNTS = { rows: 3, handled: 3, enrolled: 3, reasons: {} };
let api: Listener;
let folder: string;
let file: string;
/** What the app does with the import, as its contract says. */
let status: string;
let counts: Record<string, unknown>;
let onRead: () => void;
let next: Readonly<Record<string, string>>;

const NEXT: Readonly<Record<string, string>> = {
  "dry-run": "CHECKED",
  start: "RUNNING",
  pause: "PAUSED",
  resume: "RUNNING",
};

function answer({ method, url }: ReceivedRequest) {
  const verb = /\/imports\/12\/(.+)$/.exec(url)?.[1];
  if (verb === "results.csv") return { body: "Email,result" };
  if (method === "POST") status = verb === undefined ? "UPLOADED" : (next[verb] ?? "");
  if (method === "GET") onRead();
  const body = {
    id: "12",
    name: "leads.csv",
    status,
    columns: ["Address"],
    mapping: { reference: "No" },
    defaults: { cooldownDays: 7 },
    counts,
  };
  return { status: method === "POST" ? 201 : 200, body };
}

beforeEach(async () => {
  [status, counts, next] = ["", COUNTS, NEXT];
  onRead = () => {
    if (status === "RUNNING") status = "DONE";
  };
  api = await startListener(answer);
  folder = await mkdtemp(path.join(tmpdir(), "cli-"));
  file = path.join(folder, "leads.csv");
  await writeFile(file, "Address\na@x.example\nb@x.example\nc@x.example\n");
});

afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const calls = (): string[] =>
  api.received.map(({ method, url }) => `${method} ${url.replace("/api/v1", "")}`);

test("a file is uploaded as it is, mapped, started, followed to its end, and its results are saved", async () => {
  const out = path.join(folder, "results.csv");
  const run = await runLine(
    ["import", file, "--map", "email=Address", "--sequence", "51", "--out", out],
    api,
  );

  expect(run.code).toBe(0);
  expect(calls()).toEqual([
    "POST /imports?name=leads.csv",
    "PATCH /imports/12",
    "POST /imports/12/start",
    "GET /imports/12",
    "GET /imports/12/results.csv",
  ]);
  expect(api.received[0]).toMatchObject({
    body: await readFile(file, "utf8"),
    headers: { "content-type": "text/csv" },
  });
  expect(JSON.parse(api.received[1]?.body ?? "")).toEqual({
    mapping: { reference: "No", email: "Address" },
    defaults: { cooldownDays: 7, sequence: { id: "51" } },
  });
  expect(run.stdout).toMatch(/enrolled +3\n/);
  expect(await readFile(out, "utf8")).toContain("Email,result");
  expect((await readdir(folder)).sort()).toEqual(["leads.csv", "results.csv"]);
});

test("a dry run starts nothing and says how to", async () => {
  const run = await runLine(["import", file, "--dry-run"], api);
  expect(run.code).toBe(0);
  expect(calls()).toEqual(["POST /imports?name=leads.csv", "POST /imports/12/dry-run", "GET /imports/12"]);
  expect(run.stderr).toContain("import --resume 12");
});

test("rows that failed end it with 1", async () => {
  counts = { ...COUNTS, enrolled: 2, failed: 1, reasons: { CONTACT_NOT_FOUND: 1 } };
  const run = await runLine(["import", file, "--json"], api);
  expect(run.code).toBe(1);
  expect(JSON.parse(run.stdout)).toMatchObject({ id: "12", status: "DONE", counts });
});

test("Ctrl-C pauses the import and says how to go on, which the same words then do", async () => {
  const interruption = new AbortController();
  onRead = () => {
    interruption.abort();
  };
  const run = await runLine(["import", file], { url: api.url, interrupted: interruption.signal });
  expect(run).toMatchObject({ code: 130, stdout: "" });
  expect(calls().at(-1)).toBe("POST /imports/12/pause");
  const [, command] = /sequence-enroller (import --resume 12)/.exec(run.stderr) ?? [];

  onRead = () => {
    status = status === "RUNNING" ? "DONE" : status;
  };
  expect((await runLine(command ?? "", api)).code).toBe(0);
  expect(calls().slice(-3)).toEqual(["GET /imports/12", "POST /imports/12/resume", "GET /imports/12"]);
});

test("Ctrl-C in a dry run says how to go on with it, and that starts nothing", async () => {
  next = { ...NEXT, "dry-run": "CHECKING" };
  const interruption = new AbortController();
  onRead = () => {
    interruption.abort();
  };
  const words = ["import", file, "--dry-run"];
  const run = await runLine(words, { url: api.url, interrupted: interruption.signal });
  expect(run).toMatchObject({ code: 130, stdout: "" });
  const [, command = ""] = /nobody is enrolled yet. To go on: sequence-enroller (.+)/.exec(run.stderr) ?? [];

  onRead = () => {
    status = calls().length > 6 ? "CHECKED" : status;
  };
  expect((await runLine(command, api)).code).toBe(0);
  expect(calls().filter((call) => call.startsWith("POST"))).toEqual([
    "POST /imports?name=leads.csv",
    "POST /imports/12/dry-run",
  ]);
});

test("an import that is still tried is started once that is over", async () => {
  status = "CHECKING";
  onRead = () => {
    if (status === "RUNNING") status = "DONE";
    else if (calls().length > 2) status = "CHECKED";
  };
  expect((await runLine("import --resume 12", api)).code).toBe(0);
  expect(calls().at(-2)).toBe("POST /imports/12/start");
});

test("what is typed beside --resume counts for the import", async () => {
  status = "UPLOADED";
  expect((await runLine("import --resume 12 --sequence Inbound", api)).code).toBe(0);
  expect(calls()[1]).toBe("PATCH /imports/12");
  expect(JSON.parse(api.received[1]?.body ?? "")).toEqual({
    defaults: { cooldownDays: 7, sequence: { name: "Inbound" } },
  });
});

test("Ctrl-C before an import is set up says how to repeat the upload", async () => {
  const interruption = new AbortController();
  await api.close();
  api = await startListener((request) => {
    if (request.method === "PATCH") interruption.abort();
    return answer(request);
  });
  const run = await runLine(["import", file, "--sequence", "51"], {
    url: api.url,
    interrupted: interruption.signal,
  });
  expect(run.code).toBe(130);
  expect(run.stderr).toContain(`--idempotency-key ${String(api.received[0]?.headers["idempotency-key"])}`);
});

test("a dry run that somebody canceled is no success", async () => {
  next = { ...NEXT, "dry-run": "CANCELLED" };
  const run = await runLine(["import", file, "--dry-run"], api);
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(/Import 12 is \w+\./);
});

test("Ctrl-C while the results are saved leaves no half file, and says how to get them", async () => {
  const interruption = new AbortController();
  await api.close();
  api = await startListener((request) => {
    if (request.url.endsWith("results.csv")) interruption.abort();
    return answer(request);
  });
  const out = path.join(folder, "results.csv");
  const run = await runLine(["import", file, "--dry-run", "--out", out], {
    url: api.url,
    interrupted: interruption.signal,
  });
  expect(run.code).toBe(130);
  expect(run.stderr).toContain(`import --resume 12 --dry-run --out ${out}`);
  expect(await readdir(folder)).toEqual(["leads.csv"]);
});

test("results that break off leave no half file, and it says how to get them", async () => {
  const server = createServer((request, response) => {
    if (request.url?.endsWith("results.csv") !== true) {
      request.pipe(forward(request, response));
      return;
    }
    response.writeHead(200, { "content-type": "text/csv", "content-length": 5_000 });
    response.write("Email,result\nada@lead.example,ENR", () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const out = path.join(folder, "results.csv");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = await runLine(["import", file, "--dry-run", "--out", out], { url });
  server.close();
  server.closeAllConnections();
  expect([run.code, run.stderr]).toEqual([4, expect.stringContaining(`--resume 12 --dry-run --out ${out}`)]);
  expect(await readdir(folder)).toEqual(["leads.csv"]);
});

/** The app behind a proxy. */
function forward(request: IncomingMessage, response: ServerResponse): ClientRequest {
  const { method, headers, url } = request;
  return ask(`${api.url}${url ?? ""}`, { method, headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(response);
  });
}
