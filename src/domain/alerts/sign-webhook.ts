import { createHmac } from "node:crypto";

export interface SignedPost {
  /** The same for every try of one alert, so that receivers recognize duplicates. */
  readonly id: string;
  readonly body: string;
  /** `whsec_` and the key in base64. */
  readonly secret: string;
  /** When this try is sent: receivers refuse old ones. */
  readonly now: Date;
}

/**
 * Headers of the Standard Webhooks specification: an HMAC of SHA-256 over id, time and body. Most languages have a
 * library that checks them.
 */
export function signatureHeaders({ id, body, secret, now }: SignedPost): Record<string, string> {
  const seconds = String(Math.floor(now.getTime() / 1_000));
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": `v1,${signature}` };
}
