import { createHash, randomBytes, randomInt } from "node:crypto";

/** The parts of an API key: `sqe_<prefix>_<secret>`. */
export interface KeyParts {
  /** Eight letters and digits: public, for lists and logs. */
  readonly prefix: string;
  /** SHA-256 of the secret part. It has 256 random bits: nobody can guess it, so no slow hash is needed. */
  readonly secretHash: Buffer;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const PREFIX_LENGTH = 8;
const SECRET_BYTES = 32;
const KEY = /^sqe_([A-Za-z0-9]{8})_([\w-]{43})$/;

const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** A new key, which is not kept anywhere, and what is kept of it. */
export function makeKey(): KeyParts & { readonly key: string } {
  const prefix = Array.from({ length: PREFIX_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return { key: `sqe_${prefix}_${secret}`, prefix, secretHash: hashOf(secret) };
}

/** Undefined if the text does not have the form of a key. */
export function readApiKey(text: string): KeyParts | undefined {
  const [, prefix, secret] = KEY.exec(text) ?? [];
  return prefix === undefined || secret === undefined ? undefined : { prefix, secretHash: hashOf(secret) };
}
