/**
 * Re-encrypts stored tokens with the first of ENCRYPTION_KEYS, while the app runs. To change the key: put the new one
 * in front of the old one and restart the app everywhere, run this, then remove the old key and restart again.
 */
import { mayTakeOver } from "#domain/accounts/rights.js";
import { resealWebhooks } from "#domain/alerts/webhook-seals.js";
import { resealSubscriptions } from "#domain/subscriptions/reseal.js";
import { readConfig } from "../config.js";
import { openDatabase } from "#platform/db/client.js";
import { ownSecrets } from "../compose/own-secrets.js";
import { createLogger } from "#platform/observability/logger.js";
import { createCipher } from "#domain/vault/cipher.js";
import { resealAll } from "#domain/vault/reseal.js";
import { resealRevocations } from "#domain/vault/revocations.js";
import { createTokenStore } from "#domain/vault/store.js";
import { withDatabaseUrl } from "./tool-database.js";

const config = readConfig(process.env);
const logger = createLogger({ level: config.logLevel, secrets: ownSecrets(config) });

async function reseal(url: string): Promise<void> {
  const applicationName = "sequence-enroller rotate-vault-key";
  const database = openDatabase({ url, applicationName, poolSize: 2, logger });
  try {
    const { pool } = database;
    const cipher = createCipher(config.encryptionKeys);
    const store = createTokenStore({ pool, mayTakeOver });
    const grants = await resealAll({ store, cipher, logger });
    const resealed =
      grants +
      (await resealRevocations({ pool, cipher })) +
      (await resealWebhooks(pool, cipher)) +
      (await resealSubscriptions(pool, cipher));
    logger.info(
      { resealed, keyId: config.encryptionKeys[0].id },
      "every stored grant is sealed with the first key",
    );
  } finally {
    await database.close();
  }
}

try {
  await withDatabaseUrl(config, logger, reseal);
} catch (error) {
  logger.fatal({ err: error }, "not every stored grant could be re-sealed; keep the old keys");
  process.exitCode = 1;
}
