import { invalid, notFound, ok, type Answer } from "../wire/answer.js";
import type { SimulatedOwner, SimulatedUser } from "../portal/model.js";
import { pageOf, type ApiCall, type ApiRoute } from "./call.js";

const OWNERS = "/crm/owners/2026-09";
const USERS = "/settings/users/2026-03";
const OWNER_SCOPES = ["crm.objects.owners.read"];
const USER_SCOPES = ["settings.users.read", "crm.objects.users.read"];

/** Owners and users: one person, three ids (docs/hubspot.md §11). */
export const OWNER_AND_USER_ROUTES: readonly ApiRoute[] = [
  { method: "GET", path: OWNERS, endpoint: "owners", scopes: OWNER_SCOPES, answer: listOwners },
  { method: "GET", path: `${OWNERS}/{ownerId}`, endpoint: "owners", scopes: OWNER_SCOPES, answer: getOwner },
  { method: "GET", path: USERS, endpoint: "users", scopes: USER_SCOPES, answer: listUsers },
  { method: "GET", path: `${USERS}/{userId}`, endpoint: "users", scopes: USER_SCOPES, answer: getUser },
];

function listOwners(call: ApiCall): Answer {
  const wantsArchived = call.query.get("archived") === "true";
  const email = call.query.get("email")?.toLowerCase();
  const owners = [...call.portal.owners.values()].filter(
    (owner) =>
      owner.archived === wantsArchived && (email === undefined || owner.email.toLowerCase() === email),
  );
  const { results, ...paging } = pageOf(owners, {
    call,
    path: OWNERS,
    idOf: ({ ownerId }) => ownerId,
    defaultLimit: 100,
  });
  return ok({ results: results.map(ownerBody), ...paging });
}

function getOwner({ portal, params, query }: ApiCall): Answer {
  const id = params["ownerId"] ?? "";
  const idProperty = query.get("idProperty") ?? "id";
  if (idProperty !== "id" && idProperty !== "userId") return invalid("idProperty must be id or userId");
  const wantsArchived = query.get("archived") === "true";
  const owner =
    idProperty === "id"
      ? portal.owners.get(id)
      : [...portal.owners.values()].find((candidate) => candidate.userId === Number(id));
  if (owner?.archived !== wantsArchived) return notFound(`No owner found with ${idProperty} ${id}`);
  return ok(ownerBody(owner));
}

/** Archived owners lose `userId` and keep `userIdIncludingInactive`; queues have neither. */
function ownerBody(owner: SimulatedOwner): Record<string, unknown> {
  const at = new Date(owner.createdAtMs).toISOString();
  return {
    id: owner.ownerId,
    email: owner.email,
    type: owner.type,
    firstName: owner.firstName,
    lastName: owner.lastName,
    ...(owner.userId === undefined ? {} : { userIdIncludingInactive: owner.userId }),
    ...(owner.userId === undefined || owner.archived ? {} : { userId: owner.userId }),
    createdAt: at,
    updatedAt: at,
    archived: owner.archived,
    teams: [],
  };
}

function listUsers(call: ApiCall): Answer {
  const areListed = call.world.settings.openQuestions.deactivatedUsers === "listed";
  const users = [...call.portal.users.values()].filter(({ active }) => active || areListed);
  const { results, ...paging } = pageOf(users, {
    call,
    path: USERS,
    idOf: ({ userId }) => String(userId),
    defaultLimit: 100,
  });
  return ok({
    results: results.map((user) => ({ ...userBody(user), seatNames: user.seatNames })),
    ...paging,
  });
}

function getUser({ portal, params, query }: ApiCall): Answer {
  const id = params["userId"] ?? "";
  const byEmail = query.get("idProperty") === "EMAIL";
  const user = byEmail
    ? [...portal.users.values()].find(({ email }) => email.toLowerCase() === id.toLowerCase())
    : portal.users.get(Number(id));
  return user?.active === true ? ok(userBody(user)) : notFound(`No user found with id ${id}`);
}

/** By the 2026-03 specification `seatNames` is in the list only. */
function userBody(user: SimulatedUser): Record<string, unknown> {
  return {
    id: String(user.userId),
    email: user.email,
    firstName: user.firstName,
    lastName: user.lastName,
    roleIds: [],
    superAdmin: user.superAdmin,
  };
}
