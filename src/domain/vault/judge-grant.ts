import type { GrantOccasion } from "./grant.js";

/** A portal's connection before a new grant. */
export interface KnownConnection {
  readonly isConnected: boolean;
  /** An admin ended it, not HubSpot. */
  readonly isDisconnectedByAdmin: boolean;
  readonly scopes: readonly string[];
}

export interface NewGrant {
  readonly occasion: GrantOccasion;
  readonly scopes: readonly string[];
  /** Whether the user administers the account by what HubSpot says now, or nobody does. */
  readonly isAdmins: boolean;
}

/**
 * What happens to a new grant.
 *
 * - `take`: it is used from now on, and the app works in its user's name.
 * - `use`: it is used from now on, but the app continues in the name it worked in.
 * - `keep`: the one in use stays, and the new one is discarded.
 * - `leave`: the account is not connected and stays so; the new one is discarded.
 */
export type GrantVerdict = "take" | "use" | "keep" | "leave";

/**
 * HubSpot lets more people authorize apps than administer the account here, and each of them chooses the door: our
 * link, the marketplace, a sign-in. So in an account that had the app before, only an admin's grant is used, connected
 * or not: otherwise, someone without rights would bring back what was ended, with the scopes they like. An admin's
 * sign-in replaces a grant only with one that includes more scopes, and never undoes an admin's decision.
 */
export function judgeGrant(known: KnownConnection | undefined, grant: NewGrant): GrantVerdict {
  const { occasion, isAdmins } = grant;
  if (known === undefined) return occasion === "install" ? "take" : "leave";
  const asItWas = known.isConnected ? "keep" : "leave";
  if (!isAdmins) return asItWas;
  if (occasion === "install") return "take";
  const isWanted = known.isConnected ? addsScopes(known.scopes, grant.scopes) : !known.isDisconnectedByAdmin;
  return isWanted ? "use" : asItWas;
}

/** Whether the new grant includes every earlier scope and at least one more. */
function addsScopes(before: readonly string[], after: readonly string[]): boolean {
  return before.every((scope) => after.includes(scope)) && after.some((scope) => !before.includes(scope));
}
