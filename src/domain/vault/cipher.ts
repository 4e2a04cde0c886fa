import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { EncryptionKey } from "../../config.js";
import { SealBroken, SealKeyUnknown } from "./errors.js";

/** What a sealed text belongs to. It is authenticated with the text: moved to another row or column, it will not open. */
export interface SealContext {
  portalId: PortalId;
  /** Column the text is stored in. */
  field: string;
}

export interface Cipher {
  /** Seals with the first key. Two seals of one text differ, so a stored seal also serves as a row version. */
  seal(plain: string, context: SealContext): string;
  /** @throws SealKeyUnknown if the key is not configured, SealBroken if the text was altered or moved. */
  open(sealed: string, context: SealContext): string;
  /** Whether the text was sealed with the first key, i.e. needs no re-sealing. */
  isCurrent(sealed: string): boolean;
  /** Whether a key of this id is configured. */
  knows(keyId: string): boolean;
}

/** Format of a sealed text: `v1.<key id>.<iv>.<ciphertext>.<tag>`, the last three base64url. */
const VERSION = "v1";
const ALGORITHM = "aes-256-gcm";
/** 96 bits, the size GCM is defined for; random ones are safe far beyond the number of refreshes of any portal. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Creates the vault's cipher. The first key encrypts; all of them decrypt, so that keys can be rotated. */
export function createCipher(keys: readonly [EncryptionKey, ...EncryptionKey[]]): Cipher {
  const [current] = keys;
  const keysById = new Map(keys.map((entry) => [entry.id, entry]));
  return {
    seal: (plain, context) => seal(plain, context, current),
    open(sealed, context) {
      const parts = parse(sealed);
      const entry = keysById.get(parts.keyId);
      if (entry === undefined)
        throw new SealKeyUnknown(`No encryption key with id ${parts.keyId} is configured`);
      return unseal(parts, context, entry);
    },
    knows: (keyId) => keysById.has(keyId),
    isCurrent: (sealed) => parse(sealed).keyId === current.id,
  };
}

function seal(plain: string, context: SealContext, { id, key }: EncryptionKey): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(id, context));
  const ciphertext = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  const binary = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString("base64url"));
  return [VERSION, id, ...binary].join(".");
}

interface SealParts {
  keyId: string;
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

function parse(sealed: string): SealParts {
  const [version, keyId, ...binary] = sealed.split(".");
  const [iv, ciphertext, tag] = binary.map((part) => Buffer.from(part, "base64url"));
  const isWellFormed =
    version === VERSION && binary.length === 3 && iv?.length === IV_BYTES && tag?.length === TAG_BYTES;
  if (!isWellFormed || keyId === undefined || ciphertext === undefined) {
    throw new SealBroken("A sealed text does not have the expected form");
  }
  return { keyId, iv, ciphertext, tag };
}

function unseal(parts: SealParts, context: SealContext, { id, key }: EncryptionKey): string {
  const decipher = createDecipheriv(ALGORITHM, key, parts.iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(id, context));
  decipher.setAuthTag(parts.tag);
  try {
    return Buffer.concat([decipher.update(parts.ciphertext), decipher.final()]).toString("utf8");
  } catch (error) {
    throw new SealBroken(`A sealed ${context.field} of portal ${context.portalId} does not open`, {
      cause: error,
    });
  }
}

function associatedData(keyId: string, { portalId, field }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, portalId.toString(), field]), "utf8");
}
