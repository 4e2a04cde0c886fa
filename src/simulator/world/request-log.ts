import type { Endpoint } from "./faults.js";

/** One request with its answer, free of secrets, as the checks against the OpenAPI files want it. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[]>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it was JSON, a record where it was a form, undefined if there was none. */
  readonly body: unknown;
  readonly endpoint: Endpoint;
  readonly portalId: number | undefined;
  /** 0 where the connection was cut. */
  readonly status: number;
  readonly responseBody: unknown;
}

/** Requests kept for inspection, when asked for. */
export class RequestLog {
  readonly enabled: boolean;
  readonly entries: RecordedRequest[] = [];

  constructor(enabled: boolean) {
    this.enabled = enabled;
  }

  add(entry: RecordedRequest): void {
    this.entries.push({
      ...entry,
      headers: Object.fromEntries(Object.entries(entry.headers).filter(([name]) => name !== "authorization")),
      body: withoutSecrets(entry.body),
      responseBody: withoutSecrets(entry.responseBody),
    });
  }
}

const SECRET = /^(client_secret|refresh_token|access_token|token|code|code_verifier)$/;

function withoutSecrets(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, SECRET.test(name) ? "[removed]" : value]),
  );
}

/** Query or form parameters as a record; a repeated name becomes a list. */
export function recordOf(parameters: URLSearchParams): Record<string, string | string[]> {
  const names = new Set(parameters.keys());
  return Object.fromEntries(
    [...names].map((name) => {
      const values = parameters.getAll(name);
      return [name, values.length > 1 ? values : (values[0] ?? "")];
    }),
  );
}
