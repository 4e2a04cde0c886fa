import type { SimulatedPortal } from "../portal.js";
import type { World } from "../world/world.js";
import { sendWebhooks, type WebhookEvent } from "./webhooks.js";

/** Where the app's webhooks go, as its project declares it (docs/hubspot.md §7.2). */
export interface WebhookTarget {
  readonly url: string;
  /** Origin the signature is made for, if it is not `url`'s own. */
  readonly publicUrl?: string | undefined;
}

/** Events of the same moment share a delivery. */
const GATHER_MS = 20;
/** HubSpot tries ten times over a day (docs/hubspot.md §7.3); here within half a minute. */
const RETRY_GAPS_MS = [100, 300, 1_000, 3_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000] as const;

/** Delivers what happens in a portal to the app's webhook target, while one is set. */
export class WebhookLine {
  readonly #world: World;
  readonly #portal: SimulatedPortal;
  #gathered: WebhookEvent[] = [];

  constructor(world: World, portal: SimulatedPortal) {
    this.#world = world;
    this.#portal = portal;
  }

  /** An event that happens `inMs` from now. */
  happens(event: WebhookEvent, inMs = 0): void {
    if (this.#world.settings.webhookTarget === undefined) return;
    this.#world.delays.schedule(inMs, () => {
      if (this.#gathered.length === 0) this.#world.delays.schedule(GATHER_MS, () => this.#deliver());
      this.#gathered.push({ occurredAtMs: this.#world.now(), ...event });
    });
  }

  #deliver(): void {
    const events = this.#gathered;
    this.#gathered = [];
    for (let start = 0; start < events.length; start += 100) {
      void this.#send(events.slice(start, start + 100), 0);
    }
  }

  async #send(events: readonly WebhookEvent[], attemptNumber: number): Promise<void> {
    const target = this.#world.settings.webhookTarget;
    if (target === undefined) return;
    const numbered = events.map((event) => ({ ...event, attemptNumber }));
    const [delivery] = await sendWebhooks(this.#world, this.#portal, { ...target, events: numbered });
    const status = delivery?.status ?? 0;
    this.#world.signals.announce("webhook", {
      portalId: this.#portal.portalId,
      events: events.length,
      status,
    });
    const gapMs = RETRY_GAPS_MS[attemptNumber];
    if ((status < 200 || status >= 300) && gapMs !== undefined)
      this.#world.delays.schedule(gapMs, () => void this.#send(events, attemptNumber + 1));
  }
}
