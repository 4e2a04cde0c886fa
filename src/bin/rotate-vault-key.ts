/**
 * `npm run keys:reseal`: seals whatever is stored sealed with the first of ENCRYPTION_KEYS, while the app runs
 * (docs/runbook.md). It says what it does, may be ended at any moment, and goes on with what is left when it is run again.
 */
import type { Pool } from "pg";
import { mayTakeOver } from "#domain/accounts/rights.js";
import { resealWebhooks } from "#domain/alerts/webhook-seals.js";
import { resealSubscriptions } from "#domain/subscriptions/reseal.js";
import { readConfig } from "../config.js";
import { openDatabase } from "#platform/db/client.js";
import { ownSecrets } from "../compose/own-secrets.js";
import { createLogger } from "#platform/observability/logger.js";
import { resealImportKeys } from "#domain/imports/reseal-keys.js";
import { countSeals, type SealsOfKey } from "#domain/vault/check-seals.js";
import { createCipher } from "#domain/vault/cipher.js";
import { resealAll } from "#domain/vault/reseal.js";
import { resealRevocations } from "#domain/vault/revocations.js";
import { SealKeyUnknown } from "#domain/vault/errors.js";
import { createTokenStore } from "#domain/vault/store.js";
import { withDatabaseUrl } from "./tool-database.js";

const config = readConfig(process.env);
const logger = createLogger({
  level: config.logLevel,
  destination: process.stderr,
  secrets: ownSecrets(config),
});

async function reseal(url: string): Promise<void> {
  const applicationName = "sequence-enroller rotate-vault-key";
  const database = openDatabase({ url, applicationName, poolSize: 2, logger });
  try {
    await resealEverything(database.pool);
  } finally {
    await database.close();
  }
}

async function sealedWithOlderKeys(pool: Pool): Promise<SealsOfKey[]> {
  return (await countSeals(pool)).filter(({ keyId }) => keyId !== config.encryptionKeys[0].id);
}

/** @throws the first fault of a seal that does not open, after all the others of its kind are done. */
async function resealEverything(pool: Pool): Promise<void> {
  const cipher = createCipher(config.encryptionKeys);
  const store = createTokenStore({ pool, mayTakeOver });
  const tell = (resealed: number) => process.stdout.write(`Grants so far: ${resealed}\n`);
  const kinds: readonly (readonly [name: string, reseal: () => Promise<number>])[] = [
    ["grants", () => resealAll({ store, cipher, logger, tell })],
    ["grants to be revoked", () => resealRevocations({ pool, cipher })],
    ["addresses and secrets of alerts", () => resealWebhooks(pool, cipher)],
    ["addresses and secrets of webhooks", () => resealSubscriptions(pool, cipher)],
    ["keys to Close", () => resealImportKeys(pool, cipher)],
  ];
  for (const { keyId, seals, tables } of await sealedWithOlderKeys(pool))
    process.stdout.write(`To re-seal: ${seals} under ${keyId} in ${tables.join(", ")}\n`);
  for (const [name, resealKind] of kinds) process.stdout.write(`Re-sealed ${name}: ${await resealKind()}\n`);
  const left = await sealedWithOlderKeys(pool);
  for (const { keyId, seals, tables } of left)
    process.stdout.write(`Still sealed with ${keyId}: ${seals} in ${tables.join(", ")}\n`);
  if (left.length > 0)
    throw new SealKeyUnknown("some texts were sealed with an older key meanwhile: run this again");
  process.stdout.write(
    `Everything is sealed with ${config.encryptionKeys[0].id}. Older keys may be removed.\n`,
  );
}

try {
  await withDatabaseUrl(config, logger, reseal);
} catch (error) {
  logger.fatal({ err: error }, "not everything could be re-sealed; keep the old keys");
  process.exitCode = 1;
}
