import { randomUUID } from "node:crypto";
import type { Signals } from "../world/signals.js";

interface Entry {
  readonly offset: string;
  readonly publishedAtMs: number;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Event types by the action that an entry names (docs/hubspot.md §7.4). */
const ACTIONS: Readonly<Record<string, string>> = {
  "4-1909196": "APP_INSTALL",
  "4-1916193": "APP_UNINSTALL",
};

/** The webhooks journal of the one app: what happened to it since it asked to be told, oldest first. */
export class AppJournal {
  /** What was asked for, oldest first: an offset, or "earliest". */
  readonly reads: string[] = [];
  readonly #subscribed = new Set<string>();
  readonly #tokens = new Map<string, readonly string[]>();
  readonly #now: () => number;
  #entries: Entry[] = [];

  constructor(signals: Signals, now: () => number) {
    this.#now = now;
    signals.on("grant", ({ portalId, what }) => {
      if (what === "authorized") this.#write("4-1909196", portalId);
      if (what === "uninstalled") this.#write("4-1916193", portalId);
    });
  }

  /** A token of the app itself. */
  issueToken(scopes: readonly string[]): string {
    const token = `CC${randomUUID()}`;
    this.#tokens.set(token, scopes);
    return token;
  }

  scopesOf(token: string): readonly string[] | undefined {
    return this.#tokens.get(token);
  }

  /** @returns the action it stands for; undefined for an event type that there is not. */
  subscribe(eventTypeId: string): string | undefined {
    const action = ACTIONS[eventTypeId];
    if (action !== undefined) this.#subscribed.add(eventTypeId);
    return action;
  }

  get subscriptions(): { eventTypeId: string; action: string }[] {
    return [...this.#subscribed].map((eventTypeId) => ({ eventTypeId, action: ACTIONS[eventTypeId] ?? "" }));
  }

  /** The entry after an offset, or the first; "unknown" for an offset that is not kept. */
  after(offset: string | undefined): Entry | "unknown" | undefined {
    this.reads.push(offset ?? "earliest");
    if (offset === undefined) return this.#entries[0];
    const place = this.#entries.findIndex((entry) => entry.offset === offset);
    return place < 0 ? "unknown" : this.#entries[place + 1];
  }

  entry(offset: string): Entry | undefined {
    return this.#entries.find((one) => one.offset === offset);
  }

  /** Drops the oldest entries, as HubSpot does after some days. */
  forget(count: number): void {
    this.#entries = this.#entries.slice(count);
  }

  #write(eventTypeId: string, portalId: number): void {
    if (!this.#subscribed.has(eventTypeId)) return;
    const nowMs = this.#now();
    const event = {
      type: "app_lifecycle_event",
      action: ACTIONS[eventTypeId],
      eventTypeId,
      portalId,
      occurredAt: new Date(nowMs).toISOString(),
      properties: {},
    };
    this.#entries.push({ offset: randomUUID(), publishedAtMs: nowMs, event });
  }
}
