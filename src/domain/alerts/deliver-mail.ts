import type { Pool } from "pg";
import type { Mailer } from "./mailer.js";
import { settleAddress, type DueAlert } from "./outbox/due-alerts.js";
import { findConfirmed } from "./confirmations.js";
import { findOptOuts, unsubscribeUrl } from "./opt-outs.js";
import { addressKey, readRecipients } from "./recipients.js";
import type { TextCipher } from "./webhook-seals.js";
import { alertMail } from "./words.js";

/** The result of a try by address: every address of the alert is in exactly one of the five lists. */
export interface MailTry {
  readonly reached: readonly string[];
  /** Refused for good, with the server's words. */
  readonly refused: ReadonlyMap<string, string>;
  /** To be tried again, with a sentence about the cause. */
  readonly due: ReadonlyMap<string, string>;
  /** Addresses that opted out of the account's alerts: they were not mailed. */
  readonly optedOut: readonly string[];
  /** Addresses that have not confirmed: they were not mailed. */
  readonly unconfirmed: readonly string[];
}

interface DeliverMailOptions {
  readonly pool: Pool;
  /** Undefined if the operator has configured no mail server. */
  readonly mailer: Mailer | undefined;
  readonly publicUrl: string;
  /** Creates the links that unsubscribe. */
  readonly cipher: TextCipher;
  /** How long one mail may take: after each, this process extends its claim on the alert by this time. */
  readonly claimSeconds: number;
}

const NO_SERVER = "The operator of this service has set no mail server.";

/**
 * Mails an alert to each of its addresses that has neither received nor refused it: one mail each, so that an address
 * that was postponed does not delay the others and nobody gets it twice. Each result is stored at once. A failure of
 * the server itself ends the try: the other mails would fail too.
 *
 * @returns undefined if another process has claimed the alert meanwhile.
 */
export async function deliverMail(
  alert: DueAlert,
  options: DeliverMailOptions,
): Promise<MailTry | undefined> {
  const out = await findOptOuts(options.pool, alert.portalId);
  const confirmed = await findConfirmed(options.pool, alert.portalId);
  const set = readRecipients(alert.address ?? "");
  const optedOut = set.filter((address) => out.has(addressKey(address)));
  const wanting = set.filter((address) => !optedOut.includes(address));
  const unconfirmed = wanting.filter((address) => !confirmed.has(addressKey(address)));
  const addresses = wanting.filter((address) => !unconfirmed.includes(address));
  const reached = addresses.filter((address) => alert.reached.includes(address));
  const refused = new Map(Object.entries(alert.refusals).filter(([address]) => addresses.includes(address)));
  const due = new Map<string, string>();
  const untried = addresses.filter((address) => !reached.includes(address) && !refused.has(address));
  while (untried.length > 0) {
    const address = untried.shift() as string;
    const outcome = await mailTo(address, alert, options);
    if (outcome.kind === "server-failed") {
      for (const left of [address, ...untried]) due.set(left, outcome.reason);
      break;
    }
    if (outcome.kind === "put-off") {
      due.set(address, `The mail server put it off for ${address}: ${outcome.reason}`);
      continue;
    }
    const refusal = outcome.kind === "refused" ? outcome.reason : undefined;
    if (refusal === undefined) reached.push(address);
    else refused.set(address, refusal);
    if (!(await settleAddress(options.pool, alert, { address, refusal, ...options }))) return undefined;
  }
  return { reached, refused, due, optedOut, unconfirmed };
}

async function mailTo(to: string, alert: DueAlert, options: DeliverMailOptions) {
  const { mailer, publicUrl } = options;
  if (mailer === undefined) return { kind: "server-failed", reason: NO_SERVER } as const;
  const { portalId, id } = alert;
  const unsubscribe = unsubscribeUrl({ portalId, address: to }, options);
  const mail = alertMail(alert, { publicUrl, unsubscribeUrl: unsubscribe });
  return mailer.send({ id: `alert-${portalId}-${id}`, to, ...mail, unsubscribeUrl: unsubscribe });
}

/** Which addresses a try missed and why, in sentences for an admin; undefined if none. */
export function mailProblem({ refused, due, optedOut, unconfirmed }: MailTry): string | undefined {
  const refusals = [...refused].map(
    ([address, words]) => `The mail server refused it for ${address}: ${words}`,
  );
  const gone = optedOut.map((address) => `${address} has unsubscribed.`);
  const waiting = unconfirmed.map((address) => `${address} has not confirmed yet that alerts may come.`);
  const sentences = new Set([...refusals, ...due.values(), ...gone, ...waiting]);
  return sentences.size === 0 ? undefined : [...sentences].join(" ");
}
