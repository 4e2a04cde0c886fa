import { createHash } from "node:crypto";
import type { Request } from "express";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { refusal, RefusedCall } from "./problem.js";

const KEY = /^[\x20-\x7e]{1,255}$/;

/** What makes a request the same as another one. */
export interface RequestIdentity {
  readonly portalId: PortalId;
  readonly keyHash: Buffer;
  readonly requestHash: Buffer;
}

const digest = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * The identity of a request with an Idempotency-Key; undefined: it has none.
 *
 * @throws RefusedCall, 400, for a key that is not 1 to 255 printable characters.
 */
export function identityOf(
  request: Request,
  portalId: PortalId,
  bytes: Buffer | undefined,
): RequestIdentity | undefined {
  const key = request.get("idempotency-key");
  if (request.method !== "POST" || key === undefined) return undefined;
  if (!KEY.test(key)) {
    const detail = "This has 1 to 255 printable characters.";
    throw new RefusedCall(refusal("INVALID_REQUEST", { errors: [{ parameter: "Idempotency-Key", detail }] }));
  }
  const route = `${request.method} ${request.originalUrl.split("?", 1)[0] ?? ""}\0`;
  return { portalId, keyHash: digest(key), requestHash: digest(route, bytes ?? "") };
}
