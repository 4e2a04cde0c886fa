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
  /** Whether the user administers the account, or nobody does. */
  readonly isAdmins: boolean;
}

/**
 * What happens to a new grant.
 *
 * - `take`: it is used from now on, and the app works in its user's name.
 * - `use`: it is used from now on, but the app goes on in the name it worked in.
 * - `keep`: the one in use stays, and the new one is discarded.
 * - `leave`: the account is not connected and stays so; the new one is discarded.
 */
export type GrantVerdict = "take" | "use" | "keep" | "leave";

/**
 * HubSpot lets more people authorize apps than administer the account here. So while a connection exists, only an
 * admin's grant replaces it; a sign-in replaces it only with one that includes more scopes, and never undoes an admin's
 * decision. Installing the app where it is not connected connects it, but does not change in whose name it works.
 */
export function judgeGrant(known: KnownConnection | undefined, grant: NewGrant): GrantVerdict {
  const { occasion, isAdmins } = grant;
  if (known === undefined) return occasion === "install" ? "take" : "leave";
  if (!known.isConnected) {
    if (occasion === "sign-in") return known.isDisconnectedByAdmin ? "leave" : "use";
    return isAdmins ? "take" : "use";
  }
  if (!isAdmins) return "keep";
  if (occasion === "install") return "take";
  return addsScopes(known.scopes, grant.scopes) ? "use" : "keep";
}

/** Whether the new grant includes every earlier scope and at least one more. */
function addsScopes(before: readonly string[], after: readonly string[]): boolean {
  return before.every((scope) => after.includes(scope)) && after.some((scope) => !before.includes(scope));
}
