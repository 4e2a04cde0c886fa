import { Router, type Request, type RequestHandler, type Response } from "express";
import type { ApiKey } from "#domain/contract/actor.js";
import type { RecognizeKey } from "#domain/keys/recognize-key.js";
import type { Database } from "#platform/db/client.js";
import type { Logger } from "#platform/observability/logger.js";
import { endOf, type AccountShare } from "#web/kit/account-share.js";
import { createAnswerLimit } from "#web/kit/answer-limit.js";
import { admit, authenticate } from "./authenticate.js";
import type { AnyEndpoint, Answer, ApiCall } from "./endpoint.js";
import { answerOnce } from "./idempotency.js";
import { refusal, RefusedCall, type RefusedRequest } from "./problem.js";
import { rateHeaders, tooManyRequests, type CountRequest } from "./rate-limit.js";
import { identityOf, type RequestIdentity } from "./request-identity.js";
import { readParts } from "./read-parts.js";
import { createApiErrorHandler, sendRefusal, unavailable } from "./send-problem.js";

/** What every endpoint's frame is made of. */
export interface ApiFrame {
  readonly recognizeKey: RecognizeKey;
  /** Against the key's limit, by `<portal>:<key>`. */
  readonly countRequest: CountRequest;
  /** Of the pages, not of calls from HubSpot: a busy client of the API delays none of them. */
  readonly database: Database;
  /** How much of these connections one account may have. */
  readonly share: AccountShare;
  /** After which an answer is given up, unless the endpoint is unhurried. */
  readonly timeoutMs: number;
  readonly publicUrl: string;
  readonly logger: Logger;
  /** The OpenAPI document of the endpoints. */
  readonly document: () => object;
}

export const API_PREFIX = "/api/v1";

/** Seconds after which an account with too many requests under way may ask again. */
const ASK_AGAIN_S = 2;

/**
 * The routes of the API. Of each request, in this order: whose key it carries, whether that has requests left and may do
 * it, then its parts by the endpoint's schemas, then the endpoint itself. Whatever is not understood is answered as a problem, never as a page.
 */
export function createApiRouter(endpoints: readonly AnyEndpoint[], frame: ApiFrame): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const { logger, publicUrl, timeoutMs: ms } = frame;
  const refuse = (request: Request, response: Response): void =>
    sendRefusal({ request, response, publicUrl }, unavailable());
  const inTime = createAnswerLimit({ ms, refuse });
  router.use(API_PREFIX, setHeaders);
  for (const [path, ofPath] of byPath(endpoints)) {
    const route = router.route(API_PREFIX + path.replaceAll(/\{(\w+)\}/g, ":$1"));
    for (const endpoint of ofPath)
      route[endpoint.method](...(endpoint.isUnhurried ? [] : [inTime]), serve(endpoint, frame));
    route.all(refuseMethod(ofPath));
  }
  let document: string | undefined;
  router.get(`${API_PREFIX}/openapi.json`, (_request, response) => {
    document ??= JSON.stringify(frame.document());
    response.type("json").end(document);
  });
  router.use(API_PREFIX, () => {
    throw new RefusedCall(refusal("NOT_FOUND"));
  });
  router.use(API_PREFIX, createApiErrorHandler({ logger, publicUrl }));
  return router;
}

/** Answers are about one account, and are never kept on the way; nothing in them is a page. */
const setHeaders: RequestHandler = (_request, response, next) => {
  response.setHeader("Cache-Control", "no-store").setHeader("X-Content-Type-Options", "nosniff");
  next();
};

function byPath(endpoints: readonly AnyEndpoint[]): ReadonlyMap<string, readonly AnyEndpoint[]> {
  const paths = new Map<string, AnyEndpoint[]>();
  for (const endpoint of endpoints) paths.set(endpoint.path, [...(paths.get(endpoint.path) ?? []), endpoint]);
  return paths;
}

function refuseMethod(endpoints: readonly AnyEndpoint[]): RequestHandler {
  const methods = endpoints.flatMap(({ method }) =>
    method === "get" ? ["GET", "HEAD"] : method.toUpperCase(),
  );
  const detail = `There is only ${methods.join(", ")} at this address.`;
  const refused = refusal("INVALID_REQUEST", { status: 405, detail, headers: { Allow: methods.join(", ") } });
  return () => {
    throw new RefusedCall(refused);
  };
}

function serve(endpoint: AnyEndpoint, frame: ApiFrame): RequestHandler {
  return async (request, response) => {
    const holder = await authenticate(request, frame.recognizeKey);
    const { actor } = holder;
    await keepToRate(frame, actor, response);
    admit(holder, endpoint.scope);
    const { bytes, ...parts } = await readParts(endpoint, request);
    const { isIdempotentByItself } = endpoint;
    const isByItself =
      isIdempotentByItself === "always" ||
      (isIdempotentByItself === "streams" && parts.streamed !== undefined);
    const identity = identityOf(request, actor.portalId, isByItself ? undefined : bytes);
    const signal = endOf(response);
    const database = frame.database.until(signal);
    const afterCommit = (work: () => void): void => work();
    const stillAdmitted = async (): Promise<void> =>
      admit(await authenticate(request, frame.recognizeKey), endpoint.scope);
    const call = { actor, database, ...parts, identity, stillAdmitted, signal, afterCommit };
    const leave = endpoint.isUnhurried ? undefined : await enter(frame, call);
    try {
      const answer =
        identity === undefined || isByItself
          ? await endpoint.handle(call)
          : await once(endpoint, call, identity);
      if ("kind" in answer) throw new RefusedCall(answer);
      await send(response, (await answer.later?.()) ?? answer);
    } finally {
      leave?.();
    }
  };
}

/** @throws RefusedCall, 429. */
async function keepToRate({ countRequest }: ApiFrame, actor: ApiKey, response: Response): Promise<void> {
  const rate = await countRequest(`${actor.portalId}:${actor.keyId}`);
  if (rate === undefined) return;
  response.set(rateHeaders(rate));
  if (rate.isExceeded) throw new RefusedCall(tooManyRequests(rate));
}

function once(endpoint: AnyEndpoint, call: AnyCall, identity: RequestIdentity): Promise<Answer> {
  const { database } = call;
  return answerOnce(database.pool, identity, (pool, afterCommit) =>
    endpoint.handle({ ...call, database: database.through(pool), afterCommit }),
  );
}

type AnyCall = ApiCall<unknown, unknown, unknown>;

async function enter(
  { share }: ApiFrame,
  { actor, signal }: Pick<AnyCall, "actor" | "signal">,
): Promise<() => void> {
  const leave = await share.enter(actor.portalId, signal);
  if (leave === undefined) throw new RefusedCall(TOO_MANY_AT_ONCE);
  return leave;
}

const TOO_MANY_AT_ONCE: RefusedRequest = refusal("RATE_LIMITED", {
  detail: "Too many requests of this account are under way at once.",
  headers: { "Retry-After": String(ASK_AGAIN_S) },
});

/** By Node's own means: Express would look for what our answers never have, at a tenth of the time of a call. */
async function send(response: Response, answer: Answer): Promise<void> {
  const { status, body, headers, stream, shownOnce } = answer;
  if (stream !== undefined) return stream(response.status(status).set(headers ?? {}));
  const whole = shownOnce === undefined ? body : { ...(body as object), ...shownOnce };
  const text = answer.text ?? (whole === undefined ? undefined : JSON.stringify(whole));
  if (text === undefined) return void response.writeHead(status, headers).end();
  const bytes = Buffer.from(text);
  response
    .writeHead(status, {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": bytes.length,
      ...headers,
    })
    .end(bytes);
}
