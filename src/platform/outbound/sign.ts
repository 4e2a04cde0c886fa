import { createHmac, randomBytes } from "node:crypto";

/** One try of a message. */
export interface Message {
  /** The same for every try of one message, so that receivers recognize duplicates. */
  readonly id: string;
  readonly body: string;
  /** `whsec_` and the key in base64. While a secret is being replaced, the new one and the old one. */
  readonly secrets: readonly string[];
  /** When this try is sent: receivers refuse old ones. */
  readonly now: Date;
}

const PREFIX = "whsec_";

/** A new secret in the form of Standard Webhooks: `whsec_` and 32 random bytes in base64. */
export function makeSigningSecret(): string {
  return PREFIX + randomBytes(32).toString("base64");
}

/**
 * Headers of the Standard Webhooks specification: for each secret an HMAC of SHA-256 over id, time and body. Most
 * languages have a library that checks them.
 */
export function signatureHeaders({ id, body, secrets, now }: Message): Record<string, string> {
  const seconds = String(Math.floor(now.getTime() / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signatures.join(" ") };
}
