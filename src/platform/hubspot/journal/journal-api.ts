import { z } from "zod";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { readStorableJson } from "#platform/text/storable-json.js";
import { AppMisconfigured, HubSpotUnavailable } from "../errors.js";
import { readText } from "../read-text.js";
import { paths } from "../wire/paths.js";

/** What happened to the app in an account, by HubSpot's numbers of such events (docs/hubspot.md §7.4). */
const EVENT_TYPES = { install: "4-1909196", uninstall: "4-1916193" } as const;
const ACTIONS = { install: "APP_INSTALL", uninstall: "APP_UNINSTALL" } as const;
/** As the docs name them; the OpenAPI file has other names. */
const SCOPES = [
  "developer.webhooks_journal.read",
  "developer.webhooks_journal.subscriptions.read",
  "developer.webhooks_journal.subscriptions.write",
].join(" ");
const TIMEOUT_MS = 10_000;
/** A token is not used in the last minute of its life. */
const TOKEN_MARGIN_MS = 60_000;

export interface LifecycleEvent {
  readonly what: keyof typeof ACTIONS;
  readonly portalId: PortalId;
  readonly occurredAt: Date;
}

/** One step through the journal: what it says about the app, and where the next step continues. */
export interface JournalEntry {
  readonly offset: string;
  readonly events: readonly LifecycleEvent[];
}

/** HubSpot's journal of what happens to the app, in all accounts; it is read, not pushed. */
export interface Journal {
  /**
   * The entry after `offset`, or the oldest that HubSpot still has; undefined if there is none yet. Before the first
   * one it makes sure that installs and uninstalls are written to the journal at all.
   *
   * @throws JournalOffsetGone; AppMisconfigured if the app may not read it; HubSpotUnavailable.
   */
  next(offset: string | undefined): Promise<JournalEntry | undefined>;
}

/** HubSpot does not know the offset, or not anymore: it keeps about three days. */
export class JournalOffsetGone extends HubSpotUnavailable {
  override readonly code = "JOURNAL_OFFSET_GONE";
}

export interface JournalOptions {
  readonly apiUrl: string;
  /** A token of the app itself, of no account. */
  readonly appToken: (
    scopes: string,
  ) => Promise<{ readonly accessToken: string; readonly expiresInSeconds: number }>;
}

const fetchAnswer = z.object({ currentOffset: z.string().min(1).max(200), url: z.url() });
const subscriptionsAnswer = z.object({
  results: z.array(z.object({ actions: z.array(z.string()).catch([]) })),
});
const moment = z.union([z.number(), z.string()]).pipe(z.coerce.date());
/** An event of another kind, or in another form, is skipped: it is not ours. */
const lifecycleEvent = z.object({
  action: z.enum([ACTIONS.install, ACTIONS.uninstall]),
  portalId: z.union([z.number().int().positive(), z.string().regex(/^\d{1,18}$/)]).transform(BigInt),
  occurredAt: moment,
});
const page = z.object({ journalEvents: z.array(z.unknown()) });

export function createJournal(options: JournalOptions): Journal {
  const { apiUrl } = options;
  let token: { readonly accessToken: string; readonly usableUntilMs: number } | undefined;
  let isSubscribed = false;

  async function accessToken(): Promise<string> {
    if (token === undefined || token.usableUntilMs < performance.now()) {
      const { accessToken, expiresInSeconds } = await options.appToken(SCOPES);
      const usableUntilMs = performance.now() + expiresInSeconds * 1_000 - TOKEN_MARGIN_MS;
      token = { accessToken, usableUntilMs };
    }
    return token.accessToken;
  }

  async function ask(path: string, body?: object): Promise<Response> {
    const response = await send(apiUrl + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${await accessToken()}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status === 401) token = undefined;
    return response;
  }

  async function subscribe(): Promise<void> {
    const { results } = await read(subscriptionsAnswer, await ask(paths.journalSubscriptions));
    const present = new Set(results.flatMap(({ actions }) => actions));
    for (const what of ["install", "uninstall"] as const) {
      if (present.has(ACTIONS[what])) continue;
      const subscription = {
        subscriptionType: "APP_LIFECYCLE_EVENT",
        eventTypeId: EVENT_TYPES[what],
        properties: [],
      };
      await read(z.unknown(), await ask(paths.journalSubscriptions, subscription));
    }
  }

  return {
    async next(offset) {
      if (!isSubscribed) await subscribe();
      isSubscribed = true;
      const response = await ask(offset === undefined ? paths.journalEarliest : paths.journalAfter(offset));
      if (response.status === 204) return undefined;
      if (offset !== undefined && [400, 404, 410].includes(response.status)) {
        await response.body?.cancel();
        throw new JournalOffsetGone(`HubSpot's journal does not go on from ${offset} (${response.status})`);
      }
      const { currentOffset, url } = await read(fetchAnswer, response);
      return { offset: currentOffset, events: await readEvents(url) };
    },
  };

  /** The entry itself is at a presigned address: it gets no token. */
  async function readEvents(url: string): Promise<LifecycleEvent[]> {
    if (new URL(url).protocol !== "https:" && new URL(url).origin !== new URL(apiUrl).origin)
      throw new HubSpotUnavailable("HubSpot's journal leads to an address without TLS");
    const { journalEvents } = await read(page, await send(url, { method: "GET" }));
    return journalEvents.flatMap((given) => {
      const { success, data } = lifecycleEvent.safeParse(given);
      if (!success) return [];
      const what = data.action === ACTIONS.install ? "install" : "uninstall";
      return [{ what, portalId: data.portalId, occurredAt: data.occurredAt }];
    });
  }
}

/** @throws HubSpotUnavailable without the address, which may be signed. */
async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new HubSpotUnavailable("HubSpot's journal did not answer", { cause: error });
  }
}

async function read<Shape>(schema: z.ZodType<Shape>, response: Response): Promise<Shape> {
  const { status } = response;
  const text = await readText(response);
  if (status === 403)
    throw new AppMisconfigured(
      "HubSpot does not let this app read the webhooks journal (403): set HUBSPOT_JOURNAL=off, or ask HubSpot for it",
    );
  if (status < 200 || status > 299) throw new HubSpotUnavailable(`HubSpot's journal answered ${status}`);
  const parsed = schema.safeParse(readStorableJson(text));
  if (!parsed.success) throw new HubSpotUnavailable("HubSpot's journal answered in another form");
  return parsed.data;
}
