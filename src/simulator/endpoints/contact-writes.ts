import { invalid, notFound, ok, refuse, type Answer } from "../wire/answer.js";
import { isRecord, textOf } from "../wire/body.js";
import type { PropertyRefusal } from "../portal/contact-properties.js";
import { batchAnswer, batchInputs } from "./batch.js";
import { contactBody, CONTACTS_MISSING } from "./contacts.js";
import type { ApiCall, ApiRoute } from "./call.js";

const COMMON = { endpoint: "contacts", scopes: ["crm.objects.contacts.write"] } as const;

/** Changing properties of contacts, one or up to 100; both spellings of the object type. */
export const CONTACT_WRITE_ROUTES: readonly ApiRoute[] = ["contacts", "0-1"].flatMap((type): ApiRoute[] => [
  { ...COMMON, method: "PATCH", path: `/crm/objects/2026-09/${type}/{objectId}`, answer: update },
  { ...COMMON, method: "POST", path: `/crm/objects/2026-09/${type}/batch/update`, answer: batchUpdate },
]);

type Values = Record<string, string | null>;

/** Null empties a property, as an empty text does. */
function valuesOf(body: unknown): Values | undefined {
  const properties = isRecord(body) ? body["properties"] : undefined;
  if (!isRecord(properties)) return undefined;
  return Object.fromEntries(Object.keys(properties).map((name) => [name, textOf(properties, name) || null]));
}

function refused({ name, code }: PropertyRefusal): Answer {
  const message =
    code === "READ_ONLY_VALUE" ? `"${name}" is a read-only property` : `Property "${name}" does not exist`;
  return refuse(400, {
    category: "VALIDATION_ERROR",
    message: `Property values were not valid: ${message}`,
    errors: [{ message, code, context: { propertyName: [name] } }],
  });
}

function update({ portal, params, body, nowMs }: ApiCall): Answer {
  const contact = portal.find(params["objectId"] ?? "");
  const values = valuesOf(body);
  if (contact === undefined) return notFound("resource not found");
  if (values === undefined) return invalid("Some required fields were not set: [properties]");
  const refusal = portal.contactProperties.refusalOf(Object.keys(values));
  if (refusal !== undefined) return refused(refusal);
  portal.writeProperties(contact.id, values);
  return ok(contactBody(contact, Object.keys(values), nowMs));
}

/** One property that does not exist refuses the whole batch; contacts that do not are left out and named. */
function batchUpdate({ portal, body, nowMs }: ApiCall): Answer {
  const inputs = batchInputs(body);
  if ("status" in inputs) return inputs;
  const changes = inputs.map((input) => ({ id: textOf(input, "id") ?? "", values: valuesOf(input) ?? {} }));
  const refusal = portal.contactProperties.refusalOf(changes.flatMap(({ values }) => Object.keys(values)));
  if (refusal !== undefined) return refused(refusal);
  const results = [];
  const missing: string[] = [];
  for (const { id, values } of changes) {
    const contact = portal.find(id);
    if (contact === undefined) missing.push(id);
    else {
      portal.writeProperties(contact.id, values);
      results.push(contactBody(contact, Object.keys(values), nowMs));
    }
  }
  return batchAnswer({ results, missing, message: CONTACTS_MISSING, nowMs });
}
