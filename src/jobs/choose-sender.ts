import type { Directory, DirectoryOwner } from "../directory/directory.js";
import type { ErrorCode } from "../executions/error-codes.js";
import type { EnrollRequest } from "../executions/execution.js";
import type { Sender } from "../executions/outcome.js";

/** Who sends, or why nobody can. */
export type SenderChoice =
  | { readonly kind: "sender"; readonly sender: Sender }
  | { readonly kind: "nobody"; readonly code: ErrorCode; readonly detail?: string };

export interface SenderSources {
  readonly portalId: bigint;
  readonly directory: Directory;
  /** An owner the directory does not know, from HubSpot. */
  readonly readOwner: (ownerId: string) => Promise<DirectoryOwner | undefined>;
  /** The active owner who is a user the directory does not know, from HubSpot. */
  readonly readOwnerOfUser: (userId: bigint) => Promise<DirectoryOwner | undefined>;
}

function ownerName(owner: DirectoryOwner): string {
  const name = [owner.firstName, owner.lastName].filter(Boolean).join(" ");
  return name || owner.email || `Owner ${owner.id}`;
}

async function findOwner(ownerId: string, sources: SenderSources): Promise<DirectoryOwner | undefined> {
  const known = await sources.directory.owner(sources.portalId, ownerId);
  if (known !== undefined) return known;
  const read = await sources.readOwner(ownerId);
  if (read !== undefined) await sources.directory.saveOwners(sources.portalId, [read], { isComplete: false });
  return read;
}

async function fromContactOwner(
  ownerId: string | null | undefined,
  sources: SenderSources,
): Promise<SenderChoice> {
  if (ownerId == null || ownerId === "") return { kind: "nobody", code: "OWNER_MISSING" };
  const owner = await findOwner(ownerId, sources);
  if (owner === undefined)
    return { kind: "nobody", code: "OWNER_INACTIVE", detail: `Owner ${ownerId} no longer exists.` };
  // Archived owners have no user any more and queues never had one (dossier §11).
  if (owner.archived || owner.type !== "PERSON" || owner.userId === null || owner.email === null) {
    return { kind: "nobody", code: "OWNER_INACTIVE", detail: `The owner is ${ownerName(owner)}.` };
  }
  return { kind: "sender", sender: { userId: owner.userId, email: owner.email } };
}

/** For who is not in our copy: it may be older than the user, or not made yet. */
async function readUserEmail(userId: bigint, sources: SenderSources): Promise<string | null> {
  const owner = await sources.readOwnerOfUser(userId);
  if (owner === undefined || owner.archived || owner.type !== "PERSON") return null;
  await sources.directory.saveOwners(sources.portalId, [owner], { isComplete: false });
  return owner.email;
}

async function fromUser(userId: bigint, sources: SenderSources): Promise<SenderChoice> {
  const known = await sources.directory.activeUserEmail(sources.portalId, userId);
  const email = known ?? (await readUserEmail(userId, sources));
  if (email === null) {
    return {
      kind: "nobody",
      code: "SENDER_NOT_PERMITTED",
      detail: `User ${userId} is not an active user of this account.`,
    };
  }
  return { kind: "sender", sender: { userId, email } };
}

/**
 * Finds the user to enroll as. The address is the user's sign-in address: no public API tells the connected inbox
 * (dossier §11), so HubSpot's refusal is what says that it differs.
 *
 * @throws what `readOwner` throws, where an owner has to be read from HubSpot.
 */
export async function chooseSender(
  request: Pick<EnrollRequest, "senderMode" | "senderUserId" | "properties">,
  sources: SenderSources,
): Promise<SenderChoice> {
  switch (request.senderMode) {
    case "contact_owner":
      return fromContactOwner(request.properties?.["hubspot_owner_id"], sources);
    case "specific_user":
      return request.senderUserId === undefined
        ? { kind: "nobody", code: "INVALID_INPUT", detail: "No user is chosen to send as." }
        : fromUser(BigInt(request.senderUserId), sources);
    case "rotation":
      return { kind: "nobody", code: "NO_SENDER_AVAILABLE" };
    case "portal_default": {
      const userId = await sources.directory.defaultSenderUserId(sources.portalId);
      return userId === null ? { kind: "nobody", code: "NO_SENDER_AVAILABLE" } : fromUser(userId, sources);
    }
  }
}
