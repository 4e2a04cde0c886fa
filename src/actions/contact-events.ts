import { z } from "zod";
import type { ContactChange } from "../executions/contact-changes.js";
import { parseStorableJson } from "../storable-json.js";

const id = z.union([z.string().regex(/^\d{1,20}$/), z.number().int().nonnegative()]).transform(String);
const maybe = id.nullish().catch(null);

/** One event of a delivery (dossier §7.3). What an event needs besides depends on its type. */
const event = z.object({
  subscriptionType: z.string(),
  portalId: z.union([z.string().regex(/^\d{1,18}$/), z.number().int().nonnegative()]).transform(BigInt),
  occurredAt: z.number().catch(0),
  objectId: maybe,
  objectTypeId: z.string().nullish().catch(null),
  propertyName: z.string().nullish().catch(null),
  /** Of a merge: the contact that was preferred, those that went into it, and what became of them all. */
  primaryObjectId: maybe,
  mergedObjectIds: z.array(id).nullish().catch(null),
  newObjectId: maybe,
});

const delivery = z.array(event);

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

/**
 * Reads the bytes of a verified webhook delivery: what it says of contacts, in the order it happened. Events of other
 * types, and those that lack what their type needs, are left out: HubSpot would send the whole delivery again for them.
 *
 * @returns undefined where it is no delivery.
 */
export function readContactEvents(body: Buffer): ContactChange[] | undefined {
  let json: unknown;
  try {
    json = parseStorableJson(body.toString("utf8"));
  } catch {
    return undefined;
  }
  const parsed = delivery.safeParse(json);
  if (!parsed.success) return undefined;
  return parsed.data
    .sort((a, b) => a.occurredAt - b.occurredAt)
    .map(toChange)
    .filter((change) => change !== undefined);
}
