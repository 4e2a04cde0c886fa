import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/**
 * Why a request is not accepted as HubSpot's. `missing`: no signature at all. `unsupported_version`: a signature of a
 * version other than v2. `malformed`: a header that HubSpot never sends in that form. `stale`: signed more than five
 * minutes from now, in either direction. `mismatch`: none of our secrets made this digest.
 */
export type SignatureRefusal = "missing" | "unsupported_version" | "malformed" | "stale" | "mismatch";

export type SignatureVerdict =
  | {
      kind: "valid";
      version: "v3" | "v2";
      /** v2 is valid, and a fresh v3 next to it is not: only if that is allowed. */
      isBesideBadV3?: true;
    }
  | { kind: "refused"; reason: SignatureRefusal };

/** The parts of a request that HubSpot signs, exactly as they arrived. */
export interface SignedRequest {
  /** Upper case, as Node gives it. */
  readonly method: string;
  /** `PUBLIC_URL` + `originalUrl`: what HubSpot called. Never built from `Host`, which the caller chooses. */
  readonly url: string;
  /** The bytes received, before any parsing: JSON that is serialized again has other bytes. Empty for no body. */
  readonly body: Uint8Array;
  readonly headers: IncomingHttpHeaders;
}

/** HubSpot's own bound on the age of a v3 signature (docs/hubspot.md §4); we apply it to the future as well. */
const MAX_CLOCK_DISTANCE_MS = 300_000;

// Only the one spelling of a digest that HubSpot writes: a second accepted spelling (upper-case hex, stray bits in the
// last base64 digit) would let a changed header pass. Both patterns decode to exactly 32 bytes. Two copies of a header
// reach us joined by ", ", so they fail here too.
const V3_SIGNATURE = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
const V2_SIGNATURE = /^[0-9a-f]{64}$/;

/** Epoch milliseconds. Digits only: `Number` would also read "", " 1", "1e12" and "1.5". */
const TIMESTAMP = /^[1-9][0-9]{0,15}$/;

/**
 * Decides whether HubSpot sent this request for our app: by v3 if present, otherwise by v2, never by v1
 * (docs/hubspot.md §4).
 *
 * A v3 signature that is present has to be valid, unless the caller lets v2 replace one that does not match: which form
 * of the URL HubSpot signs with v3 is not published for every route, and whoever can make a v2 could leave v3 out. Its
 * timestamp has to be fresh even then: v2 has no time, and an old request could be replayed with a broken v3. A replay
 * of v2 alone is stopped by the `callbackId`, which we accept once. The signature says "HubSpot, for this app", not
 * which portal: that is in the signed body or query.
 *
 * Pure: no I/O and no clock of its own.
 *
 * @param options.clientSecrets the app's secret, and while it is being rotated the older one after it
 * @param options.nowMs the time to judge v3 timestamps by, epoch milliseconds
 * @param options.mayFallBack whether a valid v2 is enough if v3 does not match
 */
export function verifySignature(
  request: SignedRequest,
  options: { clientSecrets: readonly string[]; nowMs: number; mayFallBack?: boolean },
): SignatureVerdict {
  const reason = refusalByHeaders(request.headers, options.nowMs);
  if (reason !== undefined) return refused(reason);
  if (request.headers["x-hubspot-signature-v3"] === undefined)
    return verifyV2(request, options.clientSecrets);
  const v3 = verifyV3(request, options.clientSecrets);
  if (v3.kind === "valid" || options.mayFallBack !== true || refusalOfV2(request.headers) !== undefined)
    return v3;
  const v2 = verifyV2(request, options.clientSecrets);
  return v2.kind === "valid" ? { ...v2, isBesideBadV3: true } : v3;
}

/**
 * What the headers alone show: no signature, one in another form than HubSpot's, or a stale one. Checked before the
 * body is read, so that a forged request costs nothing.
 */
export function refusalByHeaders(headers: IncomingHttpHeaders, nowMs: number): SignatureRefusal | undefined {
  if (headers["x-hubspot-signature-v3"] !== undefined) {
    const timestamp = headers["x-hubspot-request-timestamp"];
    if (!matches(headers["x-hubspot-signature-v3"], V3_SIGNATURE) || !matches(timestamp, TIMESTAMP))
      return "malformed";
    return isStale(timestamp, nowMs) ? "stale" : undefined;
  }
  return refusalOfV2(headers);
}

function refusalOfV2(headers: IncomingHttpHeaders): SignatureRefusal | undefined {
  if (headers["x-hubspot-signature"] === undefined) return "missing";
  const version = headers["x-hubspot-signature-version"];
  if (version !== undefined && version !== "v2") return "unsupported_version";
  return matches(headers["x-hubspot-signature"], V2_SIGNATURE) ? undefined : "malformed";
}

function isStale(timestamp: string, nowMs: number): boolean {
  return Math.abs(nowMs - Number(timestamp)) > MAX_CLOCK_DISTANCE_MS;
}

/**
 * base64(HMAC-SHA256(secret, method + URL + body + timestamp)), with the timestamp as in the header. The caller has
 * checked the headers' form.
 */
function verifyV3(request: SignedRequest, clientSecrets: readonly string[]): SignatureVerdict {
  const signature = String(request.headers["x-hubspot-signature-v3"]);
  const timestamp = String(request.headers["x-hubspot-request-timestamp"]);
  const claimed = Buffer.from(signature, "base64");
  const isGenuine = (url: string): boolean =>
    clientSecrets.some((secret) =>
      timingSafeEqual(
        createHmac("sha256", secret)
          .update(request.method + url)
          .update(request.body)
          .update(timestamp)
          .digest(),
        claimed,
      ),
    );
  const decodedUrl = decodeV3Url(request.url);
  // HubSpot documents that it signs the decoded URL; its own SDKs check the raw one (docs/hubspot.md §4). Both are
  // tried.
  const valid = isGenuine(request.url) || (decodedUrl !== request.url && isGenuine(decodedUrl));
  return valid ? { kind: "valid", version: "v3" } : refused("mismatch");
}

/**
 * hex(SHA-256(secret + method + URL + body)), URL exactly as sent.
 *
 * `X-HubSpot-Signature` carries v1 and v2 alike and HubSpot names the version in a second header (docs/hubspot.md §4).
 * Another version is refused unread. Without a version it is checked as v2 only: the digest covers method and URL, so a
 * v1 digest, which covers neither, never passes for it.
 */
function verifyV2(request: SignedRequest, clientSecrets: readonly string[]): SignatureVerdict {
  const signature = String(request.headers["x-hubspot-signature"]);
  const claimed = Buffer.from(signature, "hex");
  const isGenuine = clientSecrets.some((secret) =>
    timingSafeEqual(
      createHash("sha256")
        .update(secret + request.method + request.url)
        .update(request.body)
        .digest(),
      claimed,
    ),
  );
  return isGenuine ? { kind: "valid", version: "v2" } : refused("mismatch");
}

/** A repeated header may also be an array; that never matches. */
function matches(header: string | string[] | undefined, pattern: RegExp): header is string {
  return typeof header === "string" && pattern.test(header);
}

/** The escapes HubSpot decodes before it signs v3: `: / ? @ ! $ ' ( ) * , ;`. All others stay (docs/hubspot.md §4). */
const V3_ESCAPES = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

/** One pass, so that `%253A` stays as it is: it is an escaped percent sign, not a colon. */
function decodeV3Url(url: string): string {
  if (!url.includes("%")) return url;
  return url.replace(V3_ESCAPES, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)));
}

function refused(reason: SignatureRefusal): SignatureVerdict {
  return { kind: "refused", reason };
}
