import type { CustomProperty } from "../portal/contact-properties.js";
import { invalid, NO_CONTENT, notFound, refuse, ok, type Answer } from "../wire/answer.js";
import { isRecord, textOf } from "../wire/body.js";
import type { ApiCall, ApiRoute } from "./call.js";

const READ = ["crm.schemas.contacts.read", "crm.schemas.contacts.write"];
const WRITE = ["crm.schemas.contacts.write"];

/** Properties of contacts that an app makes for itself (HubSpot's CRM properties API, version 2026-03). */
export const CONTACT_PROPERTY_ROUTES: readonly ApiRoute[] = ["contacts", "0-1"].flatMap(
  (type): ApiRoute[] => {
    const base = `/crm/properties/2026-03/${type}`;
    const endpoint = "properties";
    return [
      { method: "POST", path: base, endpoint, scopes: WRITE, answer: create },
      { method: "GET", path: base, endpoint, scopes: [...READ, "crm.objects.contacts.read"], answer: list },
      { method: "GET", path: `${base}/{propertyName}`, endpoint, scopes: READ, answer: get },
      { method: "DELETE", path: `${base}/{propertyName}`, endpoint, scopes: WRITE, answer: archive },
    ];
  },
);

/** Some of HubSpot's own. */
const NATIVE = [
  ["email", "Email", "string", "text"],
  ["firstname", "First Name", "string", "text"],
  ["lastname", "Last Name", "string", "text"],
  ["company", "Company Name", "string", "text"],
  ["hubspot_owner_id", "Contact owner", "enumeration", "select"],
  ["hs_lead_status", "Lead Status", "enumeration", "radio"],
  ["lifecyclestage", "Lifecycle Stage", "enumeration", "radio"],
  ["numemployees", "Number of Employees", "enumeration", "select"],
  ["annualrevenue", "Annual Revenue", "number", "number"],
  ["hs_email_optout", "Unsubscribed from all email", "bool", "booleancheckbox"],
  ["closedate", "Close Date", "datetime", "date"],
] as const;

function list({ portal, nowMs }: ApiCall): Answer {
  const native = NATIVE.map(([name, label, type, fieldType]): CustomProperty => {
    const rest = { groupName: "contactinformation", description: "", hidden: false, createdAtMs: nowMs };
    const isOwner = name === "hubspot_owner_id";
    return { name, label, type, fieldType, ...rest, ...(isOwner && { referencedObjectType: "OWNER" }) };
  });
  return ok({ results: [...native, ...portal.contactProperties.all()].map(shown) });
}

const NEEDED = ["name", "label", "type", "fieldType", "groupName"] as const;

function create({ portal, body, nowMs }: ApiCall): Answer {
  const request = isRecord(body) ? body : {};
  const missing = NEEDED.filter((name) => textOf(request, name) === undefined);
  if (missing.length > 0) return invalid(`Some required fields were not set: [${missing.join(", ")}]`);
  const name = textOf(request, "name") ?? "";
  if (!/^[a-z][a-z0-9_]*$/u.test(name)) return invalid("The name may hold lower-case letters, digits and _");
  if (portal.contactProperties.find(name) !== undefined)
    return refuse(409, {
      category: "OBJECT_ALREADY_EXISTS",
      message: `A property named '${name}' already exists.`,
    });
  const property: CustomProperty = {
    name,
    label: textOf(request, "label") ?? "",
    type: textOf(request, "type") ?? "",
    fieldType: textOf(request, "fieldType") ?? "",
    groupName: textOf(request, "groupName") ?? "",
    description: textOf(request, "description") ?? "",
    hidden: request["hidden"] === true,
    createdAtMs: nowMs,
  };
  portal.contactProperties.add(property);
  return { status: 201, body: shown(property) };
}

function get({ portal, params }: ApiCall): Answer {
  const property = portal.contactProperties.find(params["propertyName"] ?? "");
  return property === undefined ? notFound("Property does not exist") : ok(shown(property));
}

function archive({ portal, params }: ApiCall): Answer {
  const name = params["propertyName"] ?? "";
  if (portal.contactProperties.find(name) === undefined) return notFound("Property does not exist");
  portal.contactProperties.archive(name);
  return NO_CONTENT;
}

function shown({ createdAtMs, ...property }: CustomProperty): Record<string, unknown> {
  const at = new Date(createdAtMs).toISOString();
  return {
    ...property,
    options: [],
    calculated: false,
    externalOptions: false,
    createdAt: at,
    updatedAt: at,
  };
}
