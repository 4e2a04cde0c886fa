import {
  claimDueConfirmations,
  confirmUrl,
  endConfirmationTry,
  type DueConfirmation,
} from "#domain/alerts/confirmation-mails.js";
import { unsubscribeUrl } from "#domain/alerts/opt-outs.js";
import type { Mailer } from "#domain/alerts/mailer.js";
import { confirmationMail } from "#domain/alerts/words.js";
import { backoffMs } from "#platform/queue/backoff.js";
import { eachPortal } from "./each-portal.js";
import type { SendAlertsOptions } from "./send-alerts.js";

const BATCH = 20;
/** Longer than one mail takes. */
const CLAIM_SECONDS = 60;
/** About a day of tries. */
const MAX_TRIES = 12;
const RETRY = { baseMs: 5_000, capMs: 4 * 3_600_000 };

export type SendConfirmationsOptions = Omit<SendAlertsOptions, "poster">;

/** Mails the links by which addresses are confirmed (domain/alerts/confirmations.ts). Without a mail server they wait for one. */
export async function sendDueConfirmations(options: SendConfirmationsOptions): Promise<void> {
  const { pool, mailer } = options;
  if (mailer === undefined) return;
  const due = await claimDueConfirmations(pool, { limit: BATCH, claimSeconds: CLAIM_SECONDS });
  const what = "a mail that asks to confirm an address could not be sent";
  await eachPortal(due, { logger: options.logger, what, atOnce: BATCH }, (confirmation) =>
    send(confirmation, mailer, options),
  );
}

async function send(
  due: DueConfirmation,
  mailer: Mailer,
  { pool, cipher, publicUrl, logger }: SendConfirmationsOptions,
): Promise<void> {
  const { portalId, address, tries, askedAt } = due;
  const maker = { cipher, publicUrl };
  const unsubscribe = unsubscribeUrl({ portalId, address }, maker);
  const mail = confirmationMail(portalId, {
    confirmUrl: confirmUrl({ portalId, address }, maker, new Date()),
    unsubscribeUrl: unsubscribe,
  });
  const id = `confirm-${portalId}-${askedAt.getTime()}`;
  const outcome = await mailer.send({ id, to: address, ...mail, unsubscribeUrl: unsubscribe });
  if (outcome.kind === "taken") return endConfirmationTry(pool, due, {});
  const isLast = outcome.kind === "refused" || tries >= MAX_TRIES;
  const problem = outcome.reason;
  logger.warn({ portalId, tries, problem }, "the mail server did not accept a confirmation mail");
  await endConfirmationTry(pool, due, { problem, ...(!isLast && { retryInMs: backoffMs(tries, RETRY) }) });
}
