import type { ErrorCode } from "../executions/error-codes.js";

/** An owner as the portal's directory knows it. */
export interface KnownOwner {
  readonly id: string;
  readonly userId: bigint | null;
  readonly email: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly type: string;
  readonly archived: boolean;
}

/** Where people are looked up: the portal's directory and, where it does not know one, HubSpot. */
export interface PeopleSources {
  owner(ownerId: string): Promise<KnownOwner | undefined>;
  /** E-mail of an active user; undefined where there is no such user. */
  userEmail(userId: bigint): Promise<string | null | undefined>;
}

/** A user who could send, or why there is none. */
export type Person =
  | { readonly kind: "user"; readonly userId: bigint; readonly email: string }
  | {
      readonly kind: "nobody";
      /** Set where a person is named, but cannot send. */
      readonly userId?: bigint;
      readonly code: ErrorCode;
      readonly reason: string;
    };

function ownerName(owner: KnownOwner): string {
  const name = [owner.firstName, owner.lastName].filter(Boolean).join(" ");
  return name || owner.email || `Owner ${owner.id}`;
}

/** The user behind an owner id, as it stands in a property of the contact. */
export async function personOfOwner(
  ownerId: string | null | undefined,
  { owner: find }: Pick<PeopleSources, "owner">,
): Promise<Person> {
  if (ownerId == null || ownerId === "") return { kind: "nobody", code: "OWNER_MISSING", reason: "" };
  const owner = await find(ownerId);
  if (owner === undefined)
    return { kind: "nobody", code: "OWNER_INACTIVE", reason: `Owner ${ownerId} no longer exists.` };
  // Archived owners have no user any more and queues never had one (dossier §11).
  if (owner.archived || owner.type !== "PERSON" || owner.userId === null || owner.email === null) {
    return { kind: "nobody", code: "OWNER_INACTIVE", reason: `The owner is ${ownerName(owner)}.` };
  }
  return { kind: "user", userId: owner.userId, email: owner.email };
}

/** A user by id, if active. */
export async function personOfUser(
  userId: bigint,
  { userEmail }: Pick<PeopleSources, "userEmail">,
): Promise<Person> {
  const email = await userEmail(userId);
  if (email != null) return { kind: "user", userId, email };
  const reason = `User ${userId} is not an active user of this account.`;
  return { kind: "nobody", userId, code: "SENDER_NOT_PERMITTED", reason };
}
