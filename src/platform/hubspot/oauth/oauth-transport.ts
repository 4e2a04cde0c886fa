import { AuthorizationCode } from "simple-oauth2";
import { readStorableJson } from "#platform/text/storable-json.js";
import { classifyRefusal, toError, type RawAnswer, type OAuthRefusal } from "./oauth-wire.js";
import { readText } from "../read-text.js";
import { readRetryAfterMs } from "../wire/retry-after.js";

/** One dated version for the whole family (docs/hubspot.md §2.3): token, introspect, revoke. */
const TOKEN_PATH = "/oauth/2026-09/token";
const TIMEOUT_MS = 10_000;
/** Maximum answer size: tokens and their details take some kB. */
const MAX_ANSWER_BYTES = 1_048_576;

export type Attempt = { kind: "answered"; body: unknown } | { kind: "refused"; refusal: OAuthRefusal };

export interface OAuthTransport {
  /** `authorization_code` grant. */
  exchange(code: string): Promise<Attempt>;
  /** `refresh_token` grant. */
  refresh(refreshToken: string): Promise<Attempt>;
  /** `client_credentials` grant: a token of the app itself. */
  forApp(scopes: string): Promise<Attempt>;
  introspect(accessToken: string): Promise<Attempt>;
  revoke(refreshToken: string): Promise<Attempt>;
}

export interface OAuthTransportOptions {
  clientId: string;
  /** Tried in order while HubSpot refuses the client: two secrets are configured while one is being rotated. */
  clientSecrets: readonly [string, ...string[]];
  apiUrl: string;
  redirectUri: string;
}

/** Calls HubSpot's OAuth endpoints: form bodies, credentials in the body, 10 s, no retries. */
export function createOAuthTransport(options: OAuthTransportOptions): OAuthTransport {
  const clients = options.clientSecrets.map((secret) => ({ secret, oauth2: createClient(options, secret) }));
  type Client = (typeof clients)[number];

  async function withEachSecret(ask: (client: Client) => Promise<RawAnswer>): Promise<Attempt> {
    let last: Attempt | undefined;
    for (const client of clients) {
      last = toAttempt(await ask(client));
      if (last.kind === "answered" || last.refusal.kind !== "secret-refused") return last;
    }
    return last as Attempt;
  }

  const post = (path: string, fields: Record<string, string>) =>
    withEachSecret(({ secret }) =>
      postForm(options.apiUrl + path, { client_id: options.clientId, client_secret: secret, ...fields }),
    );

  return {
    exchange: (code) =>
      withEachSecret(({ oauth2 }) =>
        ask(async () => (await oauth2.getToken({ code, redirect_uri: options.redirectUri })).token),
      ),
    refresh: (refreshToken) =>
      withEachSecret(({ oauth2 }) =>
        ask(async () => (await oauth2.createToken({ refresh_token: refreshToken }).refresh()).token),
      ),
    forApp: (scope) => post(TOKEN_PATH, { grant_type: "client_credentials", scope }),
    introspect: (token) => post(`${TOKEN_PATH}/introspect`, { token, token_type_hint: "access_token" }),
    revoke: (token) => post(`${TOKEN_PATH}/revoke`, { token, token_type_hint: "refresh_token" }),
  };
}

/** @throws the fault a refusal stands for. */
export function bodyOf(attempt: Attempt): unknown {
  if (attempt.kind === "refused") throw toError(attempt.refusal);
  return attempt.body;
}

function createClient({ clientId, apiUrl }: OAuthTransportOptions, secret: string): AuthorizationCode {
  return new AuthorizationCode({
    client: { id: clientId, secret },
    auth: { tokenHost: apiUrl, tokenPath: TOKEN_PATH },
    options: { authorizationMethod: "body", bodyFormat: "form" },
    // Parsed as JSON whatever its content type: a successful refresh must not be lost over a header.
    http: { timeout: TIMEOUT_MS, json: "force", maxBytes: MAX_ANSWER_BYTES },
  });
}

/** What simple-oauth2 throws: an error of its HTTP library, with the answer, if one came, under `data`. */
interface HttpFailure {
  message: string;
  data?: { res?: { statusCode?: number; headers?: Record<string, string> }; payload?: unknown };
}

/** The thrown error is not kept as a cause: it contains the request, and so the secrets in its body. */
async function ask(request: () => Promise<unknown>): Promise<RawAnswer> {
  try {
    return { httpStatus: 200, body: await request() };
  } catch (error) {
    const { message, data } = error as HttpFailure;
    return {
      httpStatus: data?.res?.statusCode,
      body: data?.payload,
      problem: message,
      retryAfterMs: readRetryAfterMs(data?.res?.headers?.["retry-after"], {
        httpStatus: data?.res?.statusCode,
      }),
    };
  }
}

async function postForm(url: string, fields: Record<string, string>): Promise<RawAnswer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return {
      httpStatus: response.status,
      body: readStorableJson(await readText(response, MAX_ANSWER_BYTES)),
      retryAfterMs: readRetryAfterMs(response.headers.get("retry-after"), { httpStatus: response.status }),
    };
  } catch (error) {
    const { message, cause } = error as Error;
    return {
      httpStatus: undefined,
      body: undefined,
      problem: cause instanceof Error ? cause.message : message,
    };
  }
}

function toAttempt(answer: RawAnswer): Attempt {
  const isSuccess = answer.httpStatus !== undefined && answer.httpStatus >= 200 && answer.httpStatus < 300;
  return isSuccess
    ? { kind: "answered", body: answer.body }
    : { kind: "refused", refusal: classifyRefusal(answer) };
}
