import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "@jest/globals";
import { createPoster, type Poster } from "#platform/outbound/post.js";

let server: Server | undefined;
let poster: Poster | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  await poster?.close();
  server = undefined;
});

/** A receiver on this machine, and a poster whose operator named it, if `isNamed`. */
async function receiver(answer: RequestListener, { isNamed = true } = {}) {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const { port } = started.address() as AddressInfo;
  poster = createPoster(new Set(isNamed ? [`127.0.0.1:${port}`] : []));
  return { poster, port, url: `http://127.0.0.1:${port}/hook` };
}

const post = { body: "{}", headers: { "webhook-id": "msg_1" }, timeoutMs: 5_000 };

test("of an answer that never ends, only the first KiB is read", async () => {
  const { poster, url } = await receiver((_request, response) => {
    const write = (): void => {
      while (!response.destroyed && response.write("€".repeat(10_000)));
      if (!response.destroyed) response.once("drain", write);
    };
    write();
  });
  const { status, text } = await poster.post({ ...post, url });
  expect(status).toBe(200);
  expect(Buffer.byteLength(text.replace(/\ufffd$/, ""))).toBeLessThanOrEqual(1_024);
  expect(text.startsWith("€€€")).toBe(true);
});

test("a body that comes slowly or is cut off does not change what its status said", async () => {
  const { poster, url } = await receiver((_request, response) => {
    response.writeHead(202, { "content-length": "100" });
    response.write("begun");
  });
  expect(await poster.post({ ...post, url })).toEqual({ status: 202, text: "begun", askedMs: 0 });
});

test("an answer whose status comes too late does not count", async () => {
  const { poster, url } = await receiver(() => undefined);
  await expect(poster.post({ ...post, url, timeoutMs: 50 })).rejects.toMatchObject({ name: "TimeoutError" });
});

test("a redirect is an answer: it is not followed", async () => {
  const seen: (string | undefined)[] = [];
  const { poster, url } = await receiver((request, response) => {
    seen.push(request.url);
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect(await poster.post({ ...post, url })).toMatchObject({ status: 307 });
  expect(seen).toEqual(["/hook"]);
});

test("headers without end are no answer", async () => {
  const { poster, url } = await receiver((request) => {
    request.socket.write("HTTP/1.1 200 OK\r\n");
    for (let line = 0; line < 100; line += 1)
      request.socket.write(`x-filler-${line}: ${"x".repeat(1_000)}\r\n`);
  });
  await expect(poster.post({ ...post, url })).rejects.toThrow();
});

test("a name that resolves to this machine is not connected to, unless the operator named it", async () => {
  let isReached = false;
  const { poster, port } = await receiver(() => (isReached = true), { isNamed: false });
  await expect(poster.post({ ...post, url: `https://localhost:${port}/` })).rejects.toThrow(
    "The address is not reachable from the internet.",
  );
  expect(isReached).toBe(false);
});

test.each([
  "https://0x7f000001/",
  "https://2130706433/",
  "https://017700000001/",
  "https://127.1/",
  "https://[::ffff:7f00:1]/",
])("another notation of an internal address is seen through: %s", async (url) => {
  const { poster } = await receiver(() => undefined, { isNamed: false });
  await expect(poster.post({ ...post, url })).rejects.toThrow("not reachable from the internet");
});
