import type { SimulatedList } from "../portal/lists.js";
import { invalid, notFound, ok, type Answer } from "../wire/answer.js";
import { isRecord, textOf } from "../wire/body.js";
import { pageOf, type ApiCall, type ApiRoute } from "./call.js";

const BASE = "/crm/lists/2026-09";
const scopes = ["crm.lists.read"];
const MOST_A_PAGE = 250;

/** HubSpot's lists API, as far as it reads segments and their members. */
export const LIST_ROUTES: readonly ApiRoute[] = [
  { method: "POST", path: `${BASE}/search`, endpoint: "lists", scopes, answer: search },
  { method: "GET", path: `${BASE}/{listId}`, endpoint: "lists", scopes, answer: get },
  { method: "GET", path: `${BASE}/{listId}/memberships`, endpoint: "lists", scopes, answer: members },
];

const REQUIRED = ["listIds", "processingTypes", "additionalProperties", "offset"];

function search({ portal, body }: ApiCall): Answer {
  const request = isRecord(body) ? body : {};
  const missing = REQUIRED.filter((name) => request[name] === undefined);
  if (missing.length > 0) return invalid(`Some required fields were not set: [${missing.join(", ")}]`);
  const name = (textOf(request, "query") ?? "").toLowerCase();
  const type = textOf(request, "objectTypeId");
  const all = [...portal.lists.values()].filter(
    (list) => list.name.toLowerCase().includes(name) && (type === undefined || list.objectTypeId === type),
  );
  const offset = Number(request["offset"]);
  const lists = all.slice(offset, offset + Number(request["count"] ?? 20));
  const next = offset + lists.length;
  return ok({
    lists: lists.map((list) => ({
      ...shown(list),
      additionalProperties: { hs_list_size: String(list.memberIds.length) },
    })),
    hasMore: next < all.length,
    offset: next,
    total: all.length,
  });
}

function get({ portal, params }: ApiCall): Answer {
  const list = portal.lists.get(params["listId"] ?? "");
  if (list === undefined) return notFound("List does not exist");
  return ok({ list: { ...shown(list), size: list.memberIds.length } });
}

function members(call: ApiCall): Answer {
  const list = call.portal.lists.get(call.params["listId"] ?? "");
  if (list === undefined) return notFound("List does not exist");
  if (Number(call.query.get("limit") ?? 100) > MOST_A_PAGE)
    return invalid(`The limit may be ${MOST_A_PAGE} at most`);
  const page = pageOf(list.memberIds, {
    call,
    path: `${BASE}/${list.listId}/memberships`,
    idOf: (id) => id,
    defaultLimit: 100,
  });
  const membershipTimestamp = new Date(list.createdAtMs).toISOString();
  return ok({ ...page, results: page.results.map((recordId) => ({ recordId, membershipTimestamp })) });
}

function shown({ listId, name, objectTypeId, createdAtMs }: SimulatedList): Record<string, unknown> {
  const at = new Date(createdAtMs).toISOString();
  return {
    listId,
    name,
    objectTypeId,
    listVersion: 1,
    processingType: "MANUAL",
    processingStatus: "COMPLETE",
    createdAt: at,
    updatedAt: at,
  };
}
