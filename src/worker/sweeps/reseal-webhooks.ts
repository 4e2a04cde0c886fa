import type { Pool } from "pg";
import { listWebhookSeals, resealWebhook, type TextCipher } from "#domain/alerts/webhook-seals.js";
import { listSubscriptionSeals, resealSubscription } from "#domain/subscriptions/reseal.js";
import type { Logger } from "#platform/observability/logger.js";
import { eachPortal } from "./each-portal.js";

interface ResealOptions {
  readonly pool: Pool;
  readonly cipher: TextCipher;
  readonly logger: Logger;
}

/**
 * Seals addresses and secrets that earlier releases stored in clear text or under another key. What cannot be opened is
 * left as it is.
 */
export async function resealEveryWebhook({ pool, cipher, logger }: ResealOptions): Promise<void> {
  const what = "the address or the secret of an account's webhook could not be sealed again";
  await eachPortal(await listWebhookSeals(pool), { logger, what }, async (seals) => {
    await resealWebhook(pool, cipher, seals);
  });
  await eachPortal(await listSubscriptionSeals(pool), { logger, what }, async (seals) => {
    await resealSubscription(pool, cipher, seals);
  });
}
