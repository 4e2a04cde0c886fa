import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { verifySignature, type SignatureVerdict } from "#platform/hubspot/signature.js";

export const SECRET = "7f3a6f2e-1c1b-4a57-9d0e-5b8f2f7d9c11";

export const OLD_SECRET = "00000000-aaaa-bbbb-cccc-111111111111";

export const URL = "https://enroller.example.com/hubspot/actions/enroll";

export const BODY =
  '{"callbackId":"ap-4455667-1-3-0","origin":{"portalId":4455667},"object":{"objectId":151}}';

export const NOW_MS = 1_795_212_000_000;

export const FIVE_MINUTES_MS = 300_000;

export const V3_VALID: SignatureVerdict = { kind: "valid", version: "v3" };

export const V2_VALID: SignatureVerdict = { kind: "valid", version: "v2" };

export const refused = (reason: string) => ({ kind: "refused", reason });

/** Signs by another route than the code under test: one concatenated buffer, one digest. */
export function v3Headers(of: {
  method?: string;
  url?: string;
  body?: string | Buffer;
  secret?: string;
  timestamp?: string | number;
}) {
  const { method = "POST", url = URL, body = BODY, secret = SECRET, timestamp = NOW_MS } = of;
  const source = Buffer.concat([
    Buffer.from(method + url),
    Buffer.from(body),
    Buffer.from(String(timestamp)),
  ]);
  return {
    "x-hubspot-signature-v3": createHmac("sha256", secret).update(source).digest("base64"),
    "x-hubspot-request-timestamp": String(timestamp),
  };
}

export function v2Headers(of: { method?: string; url?: string; body?: string | Buffer; secret?: string }) {
  const { method = "POST", url = URL, body = BODY, secret = SECRET } = of;
  const source = Buffer.concat([Buffer.from(secret + method + url), Buffer.from(body)]);
  return {
    "x-hubspot-signature": createHash("sha256").update(source).digest("hex"),
    "x-hubspot-signature-version": "v2",
  };
}

export function verify(
  headers: IncomingHttpHeaders,
  other: {
    method?: string;
    url?: string;
    body?: string | Buffer;
    clientSecrets?: string[];
    nowMs?: number;
  } = {},
): SignatureVerdict {
  const { method = "POST", url = URL, body = BODY, clientSecrets = [SECRET], nowMs = NOW_MS } = other;
  return verifySignature({ method, url, body: Buffer.from(body), headers }, { clientSecrets, nowMs });
}
