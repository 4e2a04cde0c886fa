import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { HubSpotTimedOut, HubSpotUnavailable, PortalSpared } from "#platform/hubspot/errors.js";
import { RequestBudget, type RequestSlot } from "#platform/hubspot/pace/request-budget.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { tuneFetch } from "#platform/hubspot/tune-fetch.js";

/** As the probe of an account is waited for, only shorter. */
export const TIMEOUT_MS = 600;
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/** What became of one request. */
export interface Silence {
  readonly tookMs: number;
  readonly isTimeout: boolean;
  /** Undefined if it was answered. */
  readonly wasNotSent: boolean | undefined;
  readonly code: string | undefined;
  readonly connections: number;
  readonly bytesReceived: number;
}

function trickle(socket: Socket): void {
  socket.write(`${HEAD}content-length: 1000\r\n\r\n`);
  const timer = setInterval(() => socket.write(" "), 50);
  socket.on("close", () => {
    clearInterval(timer);
  });
}

function answerSlowly(socket: Socket): void {
  socket.write(`${HEAD}content-length: 2\r\n\r\n`);
  setTimeout(() => socket.write("{"), 100);
  setTimeout(() => socket.write("}"), 200);
}

/** What stands for HubSpot does with a request, on a bare socket: no HTTP server would. */
const ANSWERS = {
  none: () => undefined,
  partOfHeaders: (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-ty"),
  noEndOfBody: (socket: Socket) => socket.write(`${HEAD}content-length: 10\r\n\r\n{`),
  trickle,
  inTime: answerSlowly,
  spared: () => undefined,
  refused: () => undefined,
} satisfies Record<string, (socket: Socket) => unknown>;

export type Answer = keyof typeof ANSWERS;

/** A server and what it has seen. */
async function listen(
  answer: Answer,
): Promise<{ server: Server; seen: { connections: number; bytes: number } }> {
  const seen = { connections: 0, bytes: 0 };
  const server = createServer((socket) => {
    seen.connections += 1;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      if (seen.bytes === 0) ANSWERS[answer](socket);
      seen.bytes += chunk.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, seen };
}

async function enroll(answer: Answer): Promise<Silence> {
  const { server, seen } = await listen(answer);
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (answer === "refused") await new Promise((resolve) => server.close(resolve));
  const restore = tuneFetch({ apiUrl });
  const budget = new RequestBudget({ limit: 10, windowMs: 10_000, now: () => performance.now() });
  const token = () => Promise.resolve("token");
  const call = createTransport({ apiUrl, accessTokenFor: token, renewAfterRefusal: token })({
    portalId: 1n,
    budget,
    takeSlot: () => Promise.resolve(budget.tryTake() as RequestSlot),
    terms: () => ({
      timeoutMs: TIMEOUT_MS,
      assertMaySend: () => {
        if (answer === "spared") throw new PortalSpared();
      },
    }),
  });
  const startedMs = performance.now();
  const fault: unknown = await call({ method: "POST", path: "/enroll", body: { contactId: "1" } }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  void restore();
  return {
    tookMs: performance.now() - startedMs,
    isTimeout: fault instanceof HubSpotTimedOut,
    wasNotSent: fault instanceof HubSpotUnavailable ? fault.wasNotSent : undefined,
    code: (fault as { code?: string } | undefined)?.code,
    connections: seen.connections,
    bytesReceived: seen.bytes,
  };
}

/** One after the other: the dispatcher that is tuned is the whole process's. */
async function enrollEach(): Promise<Record<string, Silence>> {
  const silences: Record<string, Silence> = {};
  for (const answer of Object.keys(ANSWERS) as Answer[]) silences[answer] = await enroll(answer);
  return silences;
}

void enrollEach()
  .then((silences) => process.send?.(silences))
  .finally(() => process.exit());
