import type { ApiScope } from "#domain/contract/actor.js";
import { createKey } from "#domain/keys/change-keys.js";
import type { Database } from "#platform/db/client.js";
import { adminOf } from "./actors.js";
import type { ParsedBody } from "./simulated-app.js";

/** An answer of the API. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined where the body is no JSON. */
  readonly body: ParsedBody;
}

/** Whatever a request may have besides its address. */
export interface ApiRequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client of the API with one key, or with none. */
export interface ApiClient {
  /** @param path below the app's own address */
  ask(method: string, path: string, options?: ApiRequestOptions): Promise<ApiAnswer>;
  get(path: string): Promise<ApiAnswer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
}

/** Makes a key for a portal, as one of its admins. */
export async function giveKey(
  { pool }: Pick<Database, "pool">,
  portalId: bigint | number,
  draft: { scopes?: readonly ApiScope[]; expiresAt?: Date; name?: string } = {},
): Promise<string> {
  const { scopes = ["enrollments:read", "enrollments:write"], expiresAt, name = "Nightly import" } = draft;
  const made = await createKey(pool, adminOf(portalId), { name, scopes, expiresAt });
  if (made.kind !== "created") throw new Error(`no key was made: ${made.kind}`);
  return made.key;
}

export function createApiClient(url: string, key: string | undefined): ApiClient {
  const ask: ApiClient["ask"] = async (method, path, { body, headers = {} } = {}) => {
    const isStream = body instanceof ReadableStream;
    const isBytes = typeof body === "string" || body instanceof Uint8Array || isStream;
    const response = await fetch(url + path, {
      method,
      redirect: "manual",
      ...(isStream && { duplex: "half" }),
      ...(body === undefined ? {} : { body: isBytes ? (body as string) : JSON.stringify(body) }),
      headers: {
        ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  };
  return {
    ask,
    get: (path) => ask("GET", path),
    post: (path, body, headers = {}) => ask("POST", path, { body, headers }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
