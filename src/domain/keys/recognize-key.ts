import { timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Pool } from "pg";
import type { ApiKey } from "#domain/contract/actor.js";
import type { Logger } from "#platform/observability/logger.js";
import { atMost } from "#platform/memory/at-most.js";
import { readApiKey } from "./key-text.js";
import { knownScopes } from "./list-keys.js";

/** Whoever a key lets in. */
export interface KeyHolder {
  readonly actor: ApiKey;
  /** Whether the app is connected to the key's account. */
  readonly isConnected: boolean;
}

/** Finds whom a key belongs to; undefined: it is unknown, revoked or expired. */
export type RecognizeKey = (text: string) => Promise<KeyHolder | undefined>;

/**
 * How long a process trusts what it read about a key, counted from before the reading. A key that was revoked, or whose
 * account was disconnected, is refused everywhere after this and the time of one statement: within the five seconds
 * that the API promises.
 */
const REMEMBERED_MS = 2_000;
/** Prefixes remembered at a time, also those that no key has. */
const MOST_REMEMBERED = 10_000;

interface StoredKey extends KeyHolder {
  readonly secretHash: Buffer;
  /** A moment of this process's monotonic clock; undefined: never. */
  readonly expiresMs: number | undefined;
  /** The use is to be noted. */
  isUseDue: boolean;
}

interface KeyRow {
  portal_id: string;
  id: string;
  prefix: string;
  name: string;
  secret_hash: Buffer;
  scopes: string[];
  expires_in_ms: number | null;
  is_connected: boolean;
  is_use_due: boolean;
}

/** A prefix is unique only within its account: two accounts may have the same one, and the secret tells them apart. */
const LOOK_UP = `
  SELECT k.portal_id, k.id, k.prefix, k.name, k.secret_hash, k.scopes, p.status = 'CONNECTED' AS is_connected,
         (extract(epoch FROM k.expires_at - now()) * 1000)::float8 AS expires_in_ms,
         coalesce(k.last_used_at < now() - interval '1 minute', true) AS is_use_due
    FROM api_keys k JOIN portals p USING (portal_id)
   WHERE k.prefix = ANY ($1) AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true)`;

/** Several processes may use a key in the same minute: one of them notes it. */
const NOTE_USE = `
  UPDATE api_keys SET last_used_at = now()
   WHERE portal_id = $1 AND id = $2 AND coalesce(last_used_at < now() - interval '1 minute', true)`;

/**
 * Recognizes keys. A key that is in use costs a statement every other second; keys that are looked up at the same time
 * share one, so that whoever tries many keys causes only one statement at a time.
 */
export function createKeyRecognition({ pool, logger }: { pool: Pool; logger: Logger }): RecognizeKey {
  const remembered = new LRUCache<string, readonly StoredKey[]>({
    ...atMost(MOST_REMEMBERED),
    ttl: REMEMBERED_MS,
  });
  const lookUp = createLookUp(pool, remembered);

  function noteUse({ actor }: StoredKey): void {
    pool.query(NOTE_USE, [actor.portalId, actor.keyId]).catch((error: unknown) => {
      logger.warn({ err: error, portalId: actor.portalId }, "the use of an API key could not be noted");
    });
  }

  return async (text) => {
    const given = readApiKey(text);
    if (given === undefined) return undefined;
    const candidates = remembered.get(given.prefix) ?? (await lookUp(given.prefix));
    const key = candidates.find(({ secretHash }) => timingSafeEqual(secretHash, given.secretHash));
    if (key === undefined || hasExpired(key)) return undefined;
    if (key.isUseDue) noteUse(key);
    key.isUseDue = false;
    return key;
  };
}

const hasExpired = ({ expiresMs }: StoredKey): boolean =>
  expiresMs !== undefined && performance.now() >= expiresMs;

type Found = ReadonlyMap<string, readonly StoredKey[]>;

/** One statement at a time; prefixes that are looked up meanwhile share the next one. */
function createLookUp(
  pool: Pool,
  remembered: LRUCache<string, readonly StoredKey[]>,
): (prefix: string) => Promise<readonly StoredKey[]> {
  let asked = new Set<string>();
  let next: Promise<Found> | undefined;
  let underWay: Promise<unknown> = Promise.resolve();

  async function lookUpAsked(): Promise<Found> {
    await underWay;
    const prefixes = [...asked];
    asked = new Set();
    next = undefined;
    const start = performance.now();
    const reading = readKeys(pool, prefixes);
    underWay = reading.catch(() => undefined);
    const found = await reading;
    for (const prefix of prefixes) remembered.set(prefix, found.get(prefix) ?? [], { start });
    return found;
  }

  return async (prefix) => {
    asked.add(prefix);
    next ??= lookUpAsked();
    return (await next).get(prefix) ?? [];
  };
}

async function readKeys(pool: Pool, prefixes: readonly string[]): Promise<Found> {
  const { rows } = await pool.query<KeyRow>({ name: "find-api-keys", text: LOOK_UP, values: [prefixes] });
  const now = performance.now();
  const found = new Map<string, StoredKey[]>();
  for (const row of rows) found.set(row.prefix, [...(found.get(row.prefix) ?? []), toStored(row, now)]);
  return found;
}

function toStored(row: KeyRow, now: number): StoredKey {
  return {
    actor: {
      kind: "apiKey",
      portalId: BigInt(row.portal_id),
      keyId: BigInt(row.id),
      name: row.name,
      scopes: knownScopes(row.scopes),
    },
    isConnected: row.is_connected,
    secretHash: row.secret_hash,
    expiresMs: row.expires_in_ms === null ? undefined : now + row.expires_in_ms,
    isUseDue: row.is_use_due,
  };
}
