import { notFound, ok, type Answer } from "../wire/answer.js";
import { isRecord, textOf } from "../wire/body.js";
import { visibleProperties } from "../portal/enrollments.js";
import type { SimulatedContact } from "../portal/model.js";
import { batchAnswer, batchInputs } from "./batch.js";
import type { ApiCall, ApiRoute } from "./call.js";

const SCOPES = ["crm.objects.contacts.read"];
const DEFAULT_PROPERTIES = [
  "createdate",
  "email",
  "firstname",
  "hs_object_id",
  "lastmodifieddate",
  "lastname",
];

/** Contacts by id, one or up to 100; both spellings of the object type. */
export const CONTACT_ROUTES: readonly ApiRoute[] = ["contacts", "0-1"].flatMap((type): ApiRoute[] => [
  {
    method: "GET",
    path: `/crm/objects/2026-09/${type}/{objectId}`,
    endpoint: "contacts",
    scopes: SCOPES,
    answer: get,
  },
  {
    method: "POST",
    path: `/crm/objects/2026-09/${type}/batch/read`,
    endpoint: "contacts",
    scopes: SCOPES,
    answer: batchRead,
  },
]);

function get({ portal, params, query, nowMs }: ApiCall): Answer {
  const id = params["objectId"] ?? "";
  const byEmail = query.get("idProperty") === "email";
  const contact = byEmail ? withEmail(portal, id) : portal.find(id);
  if (contact === undefined) return notFound("resource not found");
  const wanted = query.getAll("properties").flatMap((names) => names.split(","));
  return ok(contactBody(contact, wanted, nowMs));
}

/** HubSpot keeps addresses in lower case, and finds them however they are written. */
function withEmail(portal: ApiCall["portal"], email: string): SimulatedContact | undefined {
  const wanted = email.toLowerCase();
  return [...portal.contacts.values()].find(
    ({ properties }) => properties["email"]?.toLowerCase() === wanted,
  );
}

function batchRead({ portal, body, nowMs }: ApiCall): Answer {
  const inputs = batchInputs(body);
  if ("status" in inputs) return inputs;
  const ids = inputs.map((input) => textOf(input, "id") ?? "");
  const asked = isRecord(body) ? body["properties"] : undefined;
  const wanted = Array.isArray(asked) ? asked.map(String) : [];
  const byEmail = isRecord(body) && body["idProperty"] === "email";
  const find = (id: string) => (byEmail ? withEmail(portal, id) : portal.find(id));
  const found = ids.map(find).filter((contact) => contact !== undefined);
  const missing = ids.filter((id) => find(id) === undefined);
  const results = found.map((contact) => contactBody(contact, wanted, nowMs));
  return batchAnswer({ results, missing, message: CONTACTS_MISSING, nowMs });
}

/** HubSpot's words about contacts of a batch that it does not have. */
export const CONTACTS_MISSING =
  "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.";

/** A property without a value is null if it was requested by name. */
export function contactBody(
  contact: SimulatedContact,
  wanted: readonly string[],
  nowMs: number,
): Record<string, unknown> {
  const visible = visibleProperties(contact, nowMs);
  const createdAt = new Date(contact.createdAtMs).toISOString();
  const updatedAt = new Date(contact.updatedAtMs).toISOString();
  const all: Record<string, string | null> = {
    ...visible,
    hs_object_id: contact.id,
    createdate: createdAt,
    lastmodifieddate: updatedAt,
  };
  const always = ["hs_object_id", "createdate", "lastmodifieddate"];
  const names = wanted.length === 0 ? DEFAULT_PROPERTIES : [...new Set([...always, ...wanted])];
  return {
    id: contact.id,
    properties: Object.fromEntries(names.map((name) => [name, all[name] ?? null])),
    createdAt,
    updatedAt,
    archived: false,
  };
}
