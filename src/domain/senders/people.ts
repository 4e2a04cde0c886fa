import { factOf, type ErrorCode } from "#domain/contract/error-codes.js";
import type { Owner } from "#platform/hubspot/gateway.js";
import type { UserId } from "#platform/ids/branded-ids.js";

/** Where people are looked up: the portal's directory and, if it does not know someone, HubSpot. */
export interface PeopleSources {
  owner(ownerId: string): Promise<Owner | undefined>;
  /** Emails of those given users who are active; a user without an entry is not. */
  userEmails(userIds: readonly UserId[]): Promise<ReadonlyMap<UserId, string | null>>;
}

/** A user who could send, or why there is none. */
export type PossibleSender =
  | { readonly kind: "user"; readonly userId: UserId; readonly email: string }
  | {
      readonly kind: "nobody";
      /** Set if a person is named but cannot send. */
      readonly userId?: UserId;
      readonly code: ErrorCode;
      readonly reason: string;
    };

function ownerName(owner: Owner): string {
  const name = [owner.firstName, owner.lastName].filter(Boolean).join(" ");
  return name || owner.email || `Owner ${owner.id}`;
}

/** The user behind an owner id, as found in a property of the contact. */
export async function personOfOwner(
  ownerId: string | null | undefined,
  { owner: find }: Pick<PeopleSources, "owner">,
): Promise<PossibleSender> {
  if (ownerId == null || ownerId === "")
    return { kind: "nobody", code: "OWNER_MISSING", reason: factOf("OWNER_MISSING") };
  const owner = await find(ownerId);
  if (owner === undefined)
    return {
      kind: "nobody",
      code: "OWNER_INACTIVE",
      reason: `The contact's owner, ${ownerId}, no longer exists.`,
    };
  // Archived owners no longer have a user, and queues never had one (docs/hubspot.md §11).
  if (owner.archived || owner.type !== "PERSON" || owner.userId === null || owner.email === null) {
    return {
      kind: "nobody",
      code: "OWNER_INACTIVE",
      reason: `The contact's owner, ${ownerName(owner)}, is inactive or isn't a user.`,
    };
  }
  return { kind: "user", userId: owner.userId, email: owner.email };
}

/** Users by their ids, in the given order; for an inactive one, that nobody can send as this user. */
export async function peopleOfUsers(
  userIds: readonly UserId[],
  { userEmails }: Pick<PeopleSources, "userEmails">,
): Promise<PossibleSender[]> {
  const emails = await userEmails(userIds);
  return userIds.map((userId) => {
    const email = emails.get(userId);
    if (email != null) return { kind: "user", userId, email };
    const reason = `User ${userId} isn't active in this account.`;
    return { kind: "nobody", userId, code: "SENDER_NOT_PERMITTED", reason };
  });
}
