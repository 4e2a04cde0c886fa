import type { Request } from "express";
import type { ApiScope } from "#domain/contract/actor.js";
import type { KeyHolder, RecognizeKey } from "#domain/keys/recognize-key.js";
import { refusal, RefusedCall } from "./problem.js";

const BEARER = /^Bearer +(\S+) *$/i;

/**
 * Whose key a request carries in `Authorization: Bearer sqe_…`: nothing else in it says which account it is about.
 *
 * @throws RefusedCall, 401: there is no key, or none that is in force.
 */
export async function authenticate({ headers }: Request, recognize: RecognizeKey): Promise<KeyHolder> {
  const [, key] = BEARER.exec(headers.authorization ?? "") ?? [];
  const holder = key === undefined ? undefined : await recognize(key);
  if (holder !== undefined) return holder;
  throw new RefusedCall(refusal("UNAUTHENTICATED", { headers: { "WWW-Authenticate": "Bearer" } }));
}

/** @throws RefusedCall: 403 if the key lacks the scope, 409 if its account is not connected. */
export function admit({ actor, isConnected }: KeyHolder, scope: ApiScope): void {
  if (!actor.scopes.includes(scope))
    throw new RefusedCall(refusal("FORBIDDEN", { detail: `The API key lacks the scope ${scope}.` }));
  if (!isConnected) throw new RefusedCall(refusal("NOT_CONNECTED"));
}
