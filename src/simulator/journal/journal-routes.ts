import { NO_CONTENT, notFound, ok, refuse, type Answer } from "../wire/answer.js";
import type { World } from "../world/world.js";

interface AppCall {
  readonly params: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A route that the app calls for itself, with a token of no account; without `scope` the address alone is enough. */
export interface AppRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly scope?: string;
  readonly answer: (world: World, call: AppCall) => Answer;
}

const SUBSCRIPTIONS = "/webhooks-journal/subscriptions/2026-09";
const JOURNAL = "/webhooks-journal/journal/2026-09";
const FILES = "/webhooks-journal-files";
const READ = "developer.webhooks_journal.read";
/** How long a signed address of an entry can be used. */
const ADDRESS_LIVES_MS = 10 * 60_000;

/** The webhooks journal (docs/hubspot.md §7.4). */
export const APP_ROUTES: readonly AppRoute[] = [
  {
    method: "GET",
    path: SUBSCRIPTIONS,
    scope: "developer.webhooks_journal.subscriptions.read",
    answer: (world) =>
      ok({ results: world.journal.subscriptions.map(({ action }) => subscription(world, action)) }),
  },
  {
    method: "POST",
    path: SUBSCRIPTIONS,
    scope: "developer.webhooks_journal.subscriptions.write",
    answer: subscribe,
  },
  { method: "GET", path: `${JOURNAL}/earliest`, scope: READ, answer: (world) => next(world, undefined) },
  {
    method: "GET",
    path: `${JOURNAL}/offset/{offset}/next`,
    scope: READ,
    answer: (world, { params }) => next(world, params["offset"]),
  },
  { method: "GET", path: `${FILES}/{offset}`, answer: file },
];

function subscription(world: World, action: string) {
  const at = new Date(world.now()).toISOString();
  return {
    id: world.nextId(),
    appId: Number(world.settings.appId),
    subscriptionType: "APP_LIFECYCLE_EVENT",
    objectTypeId: "",
    actions: [action],
    properties: [],
    createdAt: at,
    updatedAt: at,
  };
}

function subscribe(world: World, { body }: AppCall): Answer {
  const { subscriptionType, eventTypeId, properties } = (body ?? {}) as Record<string, unknown>;
  const action =
    subscriptionType === "APP_LIFECYCLE_EVENT" && Array.isArray(properties)
      ? world.journal.subscribe(String(eventTypeId))
      : undefined;
  if (action === undefined)
    return refuse(400, { category: "VALIDATION_ERROR", message: "not a subscription to a lifecycle event" });
  return ok(subscription(world, action));
}

function next(world: World, offset: string | undefined): Answer {
  const entry = world.journal.after(offset);
  if (entry === "unknown") return notFound("The offset does not exist");
  if (entry === undefined) return NO_CONTENT;
  return ok({
    currentOffset: entry.offset,
    expiresAt: new Date(world.now() + ADDRESS_LIVES_MS).toISOString(),
    url: `${world.url}${FILES}/${entry.offset}`,
  });
}

function file(world: World, { params }: AppCall): Answer {
  const entry = world.journal.entry(params["offset"] ?? "");
  if (entry === undefined) return notFound("The file does not exist");
  const publishedAt = new Date(entry.publishedAtMs).toISOString();
  return ok({ offset: entry.offset, publishedAt, journalEvents: [entry.event] });
}
