import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StandInSubscription {
  readonly sequenceId: string;
  readonly email: string | null;
  readonly status: string;
  readonly sender: string;
}

export interface CloseStandIn {
  readonly url: string;
  readonly requests: {
    path: string;
    query: URLSearchParams;
    authorization: string | undefined;
    atMs: number;
  }[];
  /** The next answers, instead of those that the lists would give. */
  readonly answers: { status: number; headers?: Record<string, string>; body?: unknown }[];
  close(): Promise<void>;
}

export const CLOSE_KEY = "api_4kTestTestTest.1aSecretSecretSecret";

/** A few lists of Close in its published shapes: paged by `_limit` and `_skip`, for whoever has the key. */
export async function startCloseStandIn(data: {
  sequences: readonly { id: string; name: string }[];
  subscriptions: readonly StandInSubscription[];
}): Promise<CloseStandIn> {
  const requests: CloseStandIn["requests"] = [];
  const answers: CloseStandIn["answers"] = [];
  const authorization = `Basic ${Buffer.from(`${CLOSE_KEY}:`).toString("base64")}`;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname: path, searchParams: query } = new URL(request.url ?? "", "http://close");
    requests.push({ path, query, authorization: request.headers.authorization, atMs: performance.now() });
    const scripted = answers.shift();
    if (scripted !== undefined) return send(response, scripted);
    if (request.headers.authorization !== authorization)
      return send(response, { status: 401, body: { error: "The server could not verify the API key." } });
    const list = listOf(path, query);
    if (list === undefined) return send(response, { status: 400, body: { errors: [], "field-errors": {} } });
    const [skip, limit] = [
      Number(query.get("_skip") ?? 0),
      Math.min(100, Number(query.get("_limit") ?? 100)),
    ];
    const page = list.slice(skip, skip + limit);
    send(response, {
      status: 200,
      headers: { RateLimit: "limit=100, remaining=50, reset=5" },
      body: { data: page, has_more: skip + page.length < list.length },
    });
  }

  function listOf(path: string, query: URLSearchParams): object[] | undefined {
    if (path === "/api/v1/sequence/")
      return data.sequences.map(({ id, name }) => ({
        id,
        name,
        status: "active",
        steps: [],
        timezone: "UTC",
      }));
    const sequenceId = query.get("sequence_id");
    if (path !== "/api/v1/sequence_subscription/" || sequenceId === null) return undefined;
    return data.subscriptions
      .filter((one) => one.sequenceId === sequenceId)
      .map((one, index) => ({
        ...{ id: `sub_${sequenceId}_${index}`, sequence_id: sequenceId, contact_id: `cont_${index}` },
        ...{ contact_email: one.email, sender_email: one.sender, sender_name: "Ada", status: one.status },
        ...{ start_date: "2026-10-01T08:00:00+00:00", date_created: "2026-10-01T08:00:00+00:00" },
      }));
  }

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function send(
  response: ServerResponse,
  { status, headers = {}, body }: CloseStandIn["answers"][number],
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}
