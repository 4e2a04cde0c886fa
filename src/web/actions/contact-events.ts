import { z } from "zod";
import type { ContactChange } from "#domain/contacts/contact-change.js";
import { parseStorableJson } from "#platform/text/storable-json.js";

const id = z.union([z.string().regex(/^\d{1,20}$/), z.number().int().nonnegative()]).transform(String);
const maybe = id.nullish().catch(null);

/** One event of a delivery (docs/hubspot.md §7.3). What else it needs depends on its type. */
const event = z.object({
  subscriptionType: z.string(),
  portalId: z.union([z.string().regex(/^\d{1,18}$/), z.number().int().nonnegative()]).transform(BigInt),
  objectId: maybe,
  objectTypeId: z.string().nullish().catch(null),
  propertyName: z.string().nullish().catch(null),
  /** Of a merge: the contact that was preferred, those that went into it, and what became of them all. */
  primaryObjectId: maybe,
  mergedObjectIds: z.array(id).nullish().catch(null),
  newObjectId: maybe,
});

type ContactEvent = z.output<typeof event>;

/** Contacts' type id. Events of `object.*` subscriptions may name it; ours are for contacts alone. */
const CONTACT_TYPE_ID = "0-1";
const WATCHED_PROPERTY = "hs_sequences_is_enrolled";

function toMerge({ portalId, ...merge }: ContactEvent): ContactChange | undefined {
  const into = merge.newObjectId ?? merge.primaryObjectId ?? merge.objectId;
  if (into == null) return undefined;
  const contactIds = [merge.primaryObjectId, ...(merge.mergedObjectIds ?? [])].filter(
    (contactId): contactId is string => contactId != null && contactId !== into,
  );
  return contactIds.length === 0 ? undefined : { kind: "merged", portalId, contactIds, into };
}

function toChange(told: ContactEvent): ContactChange | undefined {
  const [family, what] = told.subscriptionType.split(".");
  const isOfContact =
    family === "contact" ||
    (family === "object" && (told.objectTypeId ?? CONTACT_TYPE_ID) === CONTACT_TYPE_ID);
  if (!isOfContact) return undefined;
  const { portalId, objectId: contactId } = told;
  if (what === "merge") return toMerge(told);
  if (contactId == null) return undefined;
  switch (what) {
    case "propertyChange":
      return told.propertyName === WATCHED_PROPERTY ? { kind: "touched", portalId, contactId } : undefined;
    case "deletion":
      return { kind: "touched", portalId, contactId };
    case "privacyDeletion":
      return { kind: "erased", portalId, contactId };
    default:
      return undefined;
  }
}

/** What a delivery says about contacts. */
export interface WebhookDelivery {
  readonly changes: readonly ContactChange[];
  /** How many of its events could not be read at all. */
  readonly unreadable: number;
}

function readEvent(json: unknown): ContactEvent | undefined {
  return event.safeParse(json).data;
}

/**
 * Reads the bytes of a verified webhook delivery, event by event. Events of other types, those that lack what their
 * type needs, and those that cannot be read are left out: one refused event would make HubSpot give up the whole
 * delivery, including a privacy deletion.
 *
 * @returns undefined if it is not a delivery.
 */
export function readDelivery(body: Buffer): WebhookDelivery | undefined {
  let json: unknown;
  try {
    json = parseStorableJson(body.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!Array.isArray(json)) return undefined;
  const events = json.map(readEvent).filter((told) => told !== undefined);
  const changes = events.map(toChange).filter((change) => change !== undefined);
  return { changes, unreadable: json.length - events.length };
}
