import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { Agent, request, type Dispatcher } from "undici";
import type { z } from "zod";
import { CommandError, NotPermitted, NotReachable, Refused } from "../errors.js";
import { problem, type Problem } from "./answers.js";
import { BUSY_PATIENCE_MS, pauseBefore, pauseFor, retryAfterMs, SHORT_PATIENCE_MS } from "./retry.js";

export type Query = Readonly<Record<string, string | number | undefined>>;

/** A body that can be sent again from its beginning if a first try did not get through. */
export interface StreamedBody {
  readonly contentType: string;
  readonly bytes: number;
  open(): Readable;
}

export interface Call {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/api/v1`, such as `/enrollments`. */
  readonly path: string;
  readonly query?: Query | undefined;
  readonly json?: unknown;
  readonly body?: StreamedBody;
  /** POSTs get one of their own if none is given, so that a repeated request is not done twice. */
  readonly idempotencyKey?: string | undefined;
  /** How long to go on trying if nobody answers, in ms. */
  readonly patienceMs?: number;
  /** Ends this call instead of the run's own signal: what tidies up after Ctrl-C. */
  readonly signal?: AbortSignal;
}

/** The API as its customers see it: by HTTP alone. */
export interface ApiClient {
  /** @returns the answer's JSON, checked. @throws CommandError for any other end. */
  call<Shape extends z.ZodType>(call: Call, shape: Shape): Promise<z.infer<Shape>>;
  /** @returns the answer's bytes as they arrive, for files; NotReachable if they break off. */
  download(call: Call): Promise<Readable>;
  close(): Promise<void>;
}

export interface ApiClientOptions {
  /** The app's origin, with a path if it is behind one. */
  readonly url: URL;
  readonly key: string;
  readonly signal: AbortSignal;
  /** Told while a request is put off, for the person who waits. */
  readonly onWait: (reason: string, ms: number) => void;
}

const LONGEST_ANSWER_BYTES = 32 * 1024 * 1024;
/** More than the 30 s for which the app may hold an answer back. */
const ANSWER_WITHIN_MS = 90_000;
const CONNECT_WITHIN_MS = 10_000;
/** Waits shorter than this are not worth a word. */
const WORTH_TELLING_MS = 2_000;
/** Statuses after which the same request may get through: overload, a proxy without its app, a twin still under way. */
const BUSY_STATUSES = new Set([429, 502, 503, 504]);

type Response = Dispatcher.ResponseData;
/** What is to be had of an answer before the call is done. */
type Read<Answer> = (response: Response) => Answer | Promise<Answer>;

/** Why a request did not get through, how long it is worth trying in total, and the pause the app asked for. */
interface TryAgain {
  readonly error: CommandError;
  readonly pauseMs: number;
  readonly patienceMs: number;
}

function headerOf(response: Response, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function textOf(response: Response): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LONGEST_ANSWER_BYTES)
      throw new NotReachable("The answer is longer than any this program expects.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sentenceOf(found: Problem): string {
  const details = (found.errors ?? []).map(({ pointer, parameter, detail }) =>
    [pointer ?? parameter, detail].filter(Boolean).join(": "),
  );
  const trace = found.requestId === undefined ? "" : ` (request ${found.requestId})`;
  return [`${found.code}: ${found.detail ?? found.title ?? "refused"}${trace}`, ...details].join("\n  ");
}

/** What an answer that is not a success means. Never a word of a body that is not the API's: it could be any page. */
function errorOf(response: Response, body: unknown, url: URL): CommandError {
  const status = response.statusCode;
  const found = problem.safeParse(body).data;
  if (status >= 500 || status === 429)
    return new NotReachable(
      found === undefined ? `The app answered ${status}. Try again later.` : sentenceOf(found),
      { mayHaveArrived: status !== 429 },
    );
  if (found === undefined)
    return status === 401 || status === 403
      ? new NotPermitted(`Not permitted (${status}).`)
      : new NotReachable(
          `${url.origin} does not answer like Sequence Enroller (status ${status}). Check the URL.`,
        );
  if (status === 401 || status === 403) return new NotPermitted(sentenceOf(found));
  return new Refused(found.code, sentenceOf(found));
}

/** What a request that got no answer means, and whether it can have arrived. */
function networkErrorOf(error: unknown, url: URL): NotReachable {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  const mayHaveArrived = !["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(
    code,
  );
  return new NotReachable(`${url.origin} cannot be reached (${code || message}).`, {
    cause: error,
    mayHaveArrived,
  });
}

async function* wholeOf(body: AsyncIterable<Buffer>, url: URL): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw networkErrorOf(error, url);
  }
}

/** Whether an answer that is not a success may become one. An app that names a time will be there then. */
function againOr(response: Response, error: CommandError): TryAgain {
  const isTwin = error instanceof Refused && error.code === "IDEMPOTENCY_KEY_IN_USE";
  if (!isTwin && !BUSY_STATUSES.has(response.statusCode)) throw error;
  const asked = retryAfterMs(headerOf(response, "retry-after"), Date.now());
  const isBusy = asked !== undefined || isTwin || response.statusCode === 429;
  return { error, pauseMs: asked ?? 0, patienceMs: isBusy ? BUSY_PATIENCE_MS : SHORT_PATIENCE_MS };
}

function urlOf(base: URL, { path, query = {} }: Call): URL {
  const url = new URL(`${base.pathname.replace(/\/$/, "")}/api/v1${path}`, base.origin);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return url;
}

function headersOf(key: string, call: Call, idempotencyKey: string): Record<string, string> {
  const type = call.body?.contentType ?? (call.json === undefined ? undefined : "application/json");
  return {
    authorization: `Bearer ${key}`,
    accept: "application/json, application/problem+json;q=0.9, */*;q=0.1",
    "user-agent": "sequence-enroller",
    ...(type === undefined ? {} : { "content-type": type }),
    ...(call.body === undefined ? {} : { "content-length": String(call.body.bytes) }),
    ...(call.method === "POST" ? { "idempotency-key": idempotencyKey } : {}),
  };
}

export function createApiClient({ url: base, key, signal: runSignal, onWait }: ApiClientOptions): ApiClient {
  const agent = new Agent({
    connect: { timeout: CONNECT_WITHIN_MS },
    headersTimeout: ANSWER_WITHIN_MS,
    bodyTimeout: ANSWER_WITHIN_MS,
  });

  function send(call: Call, url: URL, idempotencyKey: string): Promise<Response> {
    const body = call.body?.open() ?? (call.json === undefined ? null : JSON.stringify(call.json));
    return request(url, {
      dispatcher: agent,
      method: call.method,
      headers: headersOf(key, call, idempotencyKey),
      body,
      signal: call.signal ?? runSignal,
    });
  }

  /** One request. @throws CommandError for an answer or a failure after which another try would not help. */
  async function attemptOnce<Answer>(
    call: Call,
    { url, idempotencyKey, read }: { url: URL; idempotencyKey: string; read: Read<Answer> },
  ): Promise<{ answer: Answer } | TryAgain> {
    try {
      const response = await send(call, url, idempotencyKey);
      if (response.statusCode >= 200 && response.statusCode < 300) return { answer: await read(response) };
      return againOr(response, errorOf(response, parseJson(await textOf(response)), url));
    } catch (error) {
      (call.signal ?? runSignal).throwIfAborted();
      if (error instanceof CommandError) throw error;
      return {
        error: networkErrorOf(error, url),
        pauseMs: 0,
        patienceMs: call.patienceMs ?? SHORT_PATIENCE_MS,
      };
    }
  }

  /**
   * One call, tried again while that is safe and may help: every POST carries the same idempotency key each time, and
   * the other methods may be repeated by their nature. An answer that breaks off is no answer.
   */
  async function answerTo<Answer>(call: Call, read: Read<Answer>): Promise<Answer> {
    const url = urlOf(base, call);
    const idempotencyKey = call.idempotencyKey ?? randomUUID();
    const startedAt = Date.now();
    for (let attempt = 0; ; attempt += 1) {
      const result = await attemptOnce(call, { url, idempotencyKey, read });
      if ("answer" in result) return result.answer;
      const pauseMs = Math.max(pauseBefore(attempt), result.pauseMs);
      const patienceMs = Math.max(result.patienceMs, call.patienceMs ?? 0);
      if (Date.now() - startedAt + pauseMs > patienceMs) throw result.error;
      if (pauseMs >= WORTH_TELLING_MS) onWait(result.error.message, pauseMs);
      await pauseFor(pauseMs, call.signal ?? runSignal);
    }
  }

  return {
    async call(call, shape) {
      const text = await answerTo(call, textOf);
      const parsed = shape.safeParse(text === "" ? {} : parseJson(text));
      if (parsed.success) return parsed.data;
      throw new NotReachable(`${base.origin} does not answer like Sequence Enroller. Check the URL.`, {
        cause: parsed.error,
        mayHaveArrived: true,
      });
    },
    download: (call) => answerTo(call, ({ body }) => Readable.from(wholeOf(body, base))),
    close: () => agent.destroy(),
  };
}
