import type { Request, Response } from "express";
import type { z } from "zod";
import type { ApiKey, ApiScope } from "#domain/contract/actor.js";
import type { Database } from "#platform/db/client.js";
import type { RequestIdentity } from "./request-identity.js";
import type { ProblemCode, RefusedRequest } from "./problem.js";

/** What a caller of the API asked for, checked by the endpoint's own schemas. */
export interface ApiCall<Params, Query, Body> {
  /** The key's: its portal is the only one that is read or changed. */
  readonly actor: ApiKey;
  /** Statements of its pool end with the answer. With an Idempotency-Key all of it is one transaction (idempotency.ts). */
  readonly database: Database;
  readonly params: Params;
  readonly query: Query;
  /** Undefined if the endpoint takes none, or if the request is `streamed`. */
  readonly body: Body;
  /** The request itself, unread, where its type is one of the endpoint's `streams`. */
  readonly streamed: Request | undefined;
  /** Aborts once the answer is over: it was sent, or nobody waits for it. */
  readonly signal: AbortSignal;
  /**
   * What makes another request the same one; undefined without an Idempotency-Key. Of an endpoint that is idempotent by
   * itself: its body aside.
   */
  readonly identity: RequestIdentity | undefined;
  /**
   * For answers that take long: whether the key still lets this call in.
   *
   * @throws RefusedCall otherwise: it was revoked or has expired, or the account was disconnected.
   */
  readonly stillAdmitted: () => Promise<void>;
  /** Does something once what the call stored is committed: wakes a worker, for example. Must not throw. */
  readonly afterCommit: (work: () => void) => void;
}

/** What an endpoint answers, besides refusals. */
export interface Answer {
  readonly status: number;
  /** Sent as JSON; undefined: no body. */
  readonly body?: unknown;
  /**
   * Secrets that belong to the body, an object: they are sent with it, but never stored. So an answer that is repeated
   * for its Idempotency-Key comes without them.
   */
  readonly shownOnce?: Readonly<Record<string, string>>;
  /** The body as JSON that is written already. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the body itself, for what is streamed; the status and the headers above are set. */
  readonly stream?: (response: Response) => Promise<void>;
  /**
   * A better answer that may come after this one is stored: awaited, and sent instead. For calls that wait for the end
   * of what they asked for.
   */
  readonly later?: () => Promise<Answer>;
}

/** How an answer is documented. */
export interface AnswerDoc {
  readonly description: string;
  /** Of the JSON body; undefined: there is no JSON. Fields that it does not name are never sent. */
  readonly schema?: z.ZodType;
  /** Of a body that is no JSON. */
  readonly mediaType?: string;
}

/** An endpoint of the API: the only place that says what it takes, does and answers. */
export interface Endpoint<Params, Query, Body> {
  readonly method: "get" | "post" | "patch" | "delete";
  /** Below `/api/v1`, with parameters in braces: `/enrollments/{id}`. */
  readonly path: string;
  /** Unique: the name of the operation in clients that are generated. */
  readonly operationId: string;
  /** Heading under which it is documented. */
  readonly tag: string;
  readonly scope: ApiScope;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /** Of a JSON body. */
  readonly body?: z.ZodType<Body>;
  /** Media types of bodies that the endpoint reads by itself, each with what it has to be. */
  readonly streams?: Readonly<Record<string, string>>;
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Codes of its refusals besides those that every endpoint has. */
  readonly problems?: readonly ProblemCode[];
  /**
   * It does not take its turn among the account's requests, and its answer has no time limit: for what waits or streams.
   * It must not keep a connection to the database meanwhile.
   */
  readonly isUnhurried?: boolean;
  /** It keeps the promise of the Idempotency-Key by itself, always or for `streams`, which cannot be one transaction. */
  readonly isIdempotentByItself?: "always" | "streams";
  readonly handle: (call: ApiCall<Params, Query, Body>) => Promise<Answer | RefusedRequest>;
}

/** An endpoint whose types have done their work. */
export type AnyEndpoint = Omit<Endpoint<unknown, unknown, unknown>, "handle"> & {
  readonly handle: (call: ApiCall<unknown, unknown, unknown>) => Promise<Answer | RefusedRequest>;
};

/** Declares an endpoint: what `handle` gets has the types of the schemas. */
export function endpoint<Params = undefined, Query = undefined, Body = undefined>(
  declaration: Endpoint<Params, Query, Body>,
): AnyEndpoint {
  // Each call is parsed by the schemas of the same declaration first.
  return { ...declaration, handle: (call) => declaration.handle(call as ApiCall<Params, Query, Body>) };
}
