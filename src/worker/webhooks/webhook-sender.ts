import { claimDueWebhooks, type DueWebhook } from "#domain/subscriptions/send-queue.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { sendWebhook, type SendWebhookTools } from "./send-webhook.js";

/** Messages that this process sends at a time, to all endpoints, and to one. */
const IN_ALL = 200;
const PER_ENDPOINT = 4;
/** Longer than a try takes, from its claim to its end. */
const CLAIM_SECONDS = 60;
/**
 * What is under way when the process stops is waited for, except for endpoints that hang: other processes send it
 * again.
 */
const STOP_PATIENCE_MS = 4_000;

interface UnderWay {
  readonly portalId: PortalId;
  readonly webhookId: bigint;
  count: number;
}

/**
 * Sends messages as they become due: a few of each endpoint at a time, whatever the others do. An endpoint that hangs
 * holds its own few places until its time is over; while it fails, it has one.
 */
export class WebhookSender {
  readonly #tools: SendWebhookTools;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #sending = new Set<Promise<void>>();
  #claiming: Promise<void> | undefined;
  #isAskedAgain = false;
  #isStopping = false;

  constructor(tools: SendWebhookTools) {
    this.#tools = tools;
  }

  /**
   * Begins to send what is due, without waiting for it. If called while it is claiming, it claims once more afterward.
   */
  async sendDue(): Promise<void> {
    this.#isAskedAgain = true;
    this.#claiming ??= this.#claimAll().finally(() => {
      this.#claiming = undefined;
    });
    await this.#claiming;
  }

  async #claimAll(): Promise<void> {
    while (this.#isAskedAgain && !this.#isStopping) {
      this.#isAskedAgain = false;
      const limit = IN_ALL - this.#sending.size;
      if (limit <= 0) return;
      const due = await claimDueWebhooks(this.#tools.pool, {
        limit,
        perEndpoint: PER_ENDPOINT,
        underWay: [...this.#underWay.values()],
        claimSeconds: CLAIM_SECONDS,
      });
      due.forEach((one) => {
        this.#start(one);
      });
    }
  }

  #start(due: DueWebhook): void {
    const key = `${due.portalId}/${due.webhookId}`;
    const place = this.#underWay.get(key) ?? { portalId: due.portalId, webhookId: due.webhookId, count: 0 };
    place.count += 1;
    this.#underWay.set(key, place);
    const sending = sendWebhook(due, this.#tools)
      .catch((error: unknown) => {
        const { portalId, messageId } = due;
        this.#tools.logger.warn(
          { err: error, portalId, messageId },
          "what became of a webhook could not be noted; it is sent again",
        );
      })
      .finally(() => {
        place.count -= 1;
        if (place.count === 0) this.#underWay.delete(key);
        this.#sending.delete(sending);
        this.#goOn();
      });
    this.#sending.add(sending);
  }

  /** A place is free. If the database cannot be asked now, the next periodic look does. */
  #goOn(): void {
    if (this.#isStopping) return;
    this.sendDue().catch((error: unknown) => {
      this.#tools.logger.warn({ err: error }, "due webhooks could not be claimed");
    });
  }

  /** Starts no more tries. Resolves when nothing is under way, or what is left hangs. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#claiming?.catch(() => undefined);
    let patience: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, STOP_PATIENCE_MS);
    });
    await Promise.race([Promise.all(this.#sending), enough]);
    clearTimeout(patience);
  }
}
