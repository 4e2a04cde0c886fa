import { createHash, createHmac } from "node:crypto";

/** Which signatures a request from "HubSpot" carries, and which of them are invalid (docs/hubspot.md §4). */
export interface SigningPlan {
  readonly v1?: "good" | "bad";
  readonly v2?: "good" | "bad";
  /** "stale" and "future" are correctly signed, six minutes off; "no-timestamp" leaves its header out. */
  readonly v3?: "good" | "bad" | "stale" | "future" | "no-timestamp";
  /** Signs with this instead of the app's first secret. */
  readonly secret?: string;
}

export interface Signable {
  readonly method: string;
  /** The full URL as HubSpot has it configured: scheme, host, path, query. */
  readonly url: string;
  readonly body: string;
}

/** As HubSpot sends custom-action calls: documented as v2, with v3 beside it on the live platform (docs/hubspot.md §4). */
const USUAL_SIGNATURES: SigningPlan = { v2: "good", v3: "good" };

const OFF_BY_MS = 6 * 60_000;

/** Characters HubSpot decodes in the URI before a v3 digest (docs/hubspot.md §4); everything else stays encoded. */
const DECODED_FOR_V3 = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

function signatureV1(secret: string, body: string): string {
  return createHash("sha256")
    .update(secret + body, "utf8")
    .digest("hex");
}

function signatureV2(secret: string, { method, url, body }: Signable): string {
  return createHash("sha256")
    .update(secret + method + url + body, "utf8")
    .digest("hex");
}

function signatureV3(secret: string, { method, url, body }: Signable, timestampMs: number): string {
  const uri = url.replace(DECODED_FOR_V3, decodeURIComponent);
  return createHmac("sha256", secret)
    .update(method + uri + body + String(timestampMs), "utf8")
    .digest("base64");
}

/**
 * Headers that sign a request the way `plan` says. v1 and v2 share one header, so v2 wins where both are asked for.
 */
export function signedHeaders(
  request: Signable,
  { secret, nowMs, plan = USUAL_SIGNATURES }: { secret: string; nowMs: number; plan?: SigningPlan },
): Record<string, string> {
  const key = plan.secret ?? secret;
  const headers: Record<string, string> = {};
  if (plan.v1 !== undefined) {
    headers["x-hubspot-signature"] = spoilIf(plan.v1 === "bad", signatureV1(key, request.body));
    headers["x-hubspot-signature-version"] = "v1";
  }
  if (plan.v2 !== undefined) {
    headers["x-hubspot-signature"] = spoilIf(plan.v2 === "bad", signatureV2(key, request));
    headers["x-hubspot-signature-version"] = "v2";
  }
  if (plan.v3 !== undefined) {
    const timestampMs = nowMs + (plan.v3 === "stale" ? -OFF_BY_MS : plan.v3 === "future" ? OFF_BY_MS : 0);
    headers["x-hubspot-signature-v3"] = spoilIf(plan.v3 === "bad", signatureV3(key, request, timestampMs));
    if (plan.v3 !== "no-timestamp") headers["x-hubspot-request-timestamp"] = String(timestampMs);
  }
  return headers;
}

/** Same length and alphabet, one character wrong: the hardest forgery to notice. */
function spoilIf(spoil: boolean, signature: string): string {
  if (!spoil) return signature;
  return (signature.startsWith("a") ? "b" : "a") + signature.slice(1);
}
