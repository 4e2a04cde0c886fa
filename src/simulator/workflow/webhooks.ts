import type { SimulatedPortal } from "../portal.js";
import type { SigningPlan } from "../world/signing.js";
import type { World } from "../world/world.js";
import { deliver } from "./outbound.js";

/** What a test says about an event; the rest of docs/hubspot.md §7.3's fields is filled in. */
export interface WebhookEvent {
  /** `contact.propertyChange`, `contact.deletion`, `contact.privacyDeletion`, `object.propertyChange` … */
  readonly subscriptionType: string;
  readonly objectId: string;
  readonly propertyName?: string;
  readonly propertyValue?: string;
  readonly changeSource?: string;
  readonly changeFlag?: string;
  readonly occurredAtMs?: number;
  readonly attemptNumber?: number;
  /** Of a merge. */
  readonly primaryObjectId?: string;
  readonly mergedObjectIds?: readonly string[];
  readonly newObjectId?: string;
}

export interface WebhookDelivery {
  readonly events: number;
  /** 0 where no answer came. */
  readonly status: number;
}

const BATCH = 100;
const SIGNATURES: SigningPlan = { v1: "good", v3: "good" };

export async function sendWebhooks(
  world: World,
  portal: SimulatedPortal,
  {
    events,
    url,
    publicUrl,
    signing = SIGNATURES,
  }: { events: readonly WebhookEvent[]; url: string; publicUrl?: string | undefined; signing?: SigningPlan },
): Promise<WebhookDelivery[]> {
  const deliveries: WebhookDelivery[] = [];
  for (let start = 0; start < events.length; start += BATCH) {
    const batch = events.slice(start, start + BATCH);
    const body = JSON.stringify(batch.map((event) => eventBody(world, portal, event)));
    const answer = await deliver(world, {
      method: "POST",
      url,
      publicUrl,
      body,
      signing,
      timeoutMs: 5000,
    });
    deliveries.push({ events: batch.length, status: answer.kind === "answered" ? answer.status : 0 });
  }
  return deliveries;
}

function eventBody(world: World, portal: SimulatedPortal, event: WebhookEvent): Record<string, unknown> {
  return {
    eventId: world.nextId(),
    subscriptionId: 1_000_001,
    portalId: portal.portalId,
    appId: Number(world.settings.appId),
    occurredAt: event.occurredAtMs ?? world.now(),
    subscriptionType: event.subscriptionType,
    attemptNumber: event.attemptNumber ?? 0,
    objectId: Number(event.objectId),
    propertyName: event.propertyName,
    propertyValue: event.propertyValue,
    changeSource: event.changeSource ?? "CRM_UI",
    changeFlag: event.changeFlag,
    primaryObjectId: event.primaryObjectId && Number(event.primaryObjectId),
    mergedObjectIds: event.mergedObjectIds?.map(Number),
    newObjectId: event.newObjectId && Number(event.newObjectId),
  };
}
