import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";

/** Changes the body of a success, parsed; whatever it does not return is passed on as it came. */
export type Edit = (request: { method: string; url: string }, body: unknown) => unknown;

/** Answers in HubSpot's place, which is not asked then; undefined to leave it to HubSpot. */
export type Replace = (request: {
  method: string;
  url: string;
}) => { status: number; body: unknown } | undefined;

/** Stands between the app and the simulator, and makes answers odd that the simulator itself would never give. */
export interface OddHubSpot {
  readonly url: string;
  edit: Edit;
  replace: Replace;
  close(): Promise<void>;
}

/** @param target the simulator's address, asked for with each request: it may start later. */
export async function startOddHubSpot(target: () => string): Promise<OddHubSpot> {
  let edit: Edit = (_, body) => body;
  let replace: Replace = () => undefined;
  const server = createServer((request, response) => {
    const { method = "", url = "" } = request;
    const own = replace({ method, url });
    if (own !== undefined) {
      request.resume();
      response.writeHead(own.status, { "content-type": "application/json" }).end(JSON.stringify(own.body));
      return;
    }
    const { host, hostname, port } = new URL(target());
    const { "accept-encoding": _, ...headers } = request.headers;
    const onward = send({ hostname, port, method, path: url, headers: { ...headers, host } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const isJson = answer.statusCode === 200 && text.startsWith("{");
        const edited = isJson ? JSON.stringify(edit({ method, url }, JSON.parse(text))) : text;
        const { "content-length": __, "transfer-encoding": ___, ...rest } = answer.headers;
        response.writeHead(answer.statusCode ?? 500, rest).end(edited);
      });
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get edit() {
      return edit;
    },
    set edit(next) {
      edit = next;
    },
    get replace() {
      return replace;
    },
    set replace(next) {
      replace = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
