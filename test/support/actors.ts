import type { Admin, System } from "#domain/contract/actor.js";

/** An admin of a portal. */
export function adminOf(
  portalId: bigint | number,
  who: Partial<Pick<Admin, "userId" | "userEmail">> = {},
): Admin {
  return { kind: "admin", portalId: BigInt(portalId), userId: null, userEmail: null, ...who };
}

/** What no user of the portal asks for. */
export function systemOf(portalId: bigint | number, part: System["part"] = "hubspot"): System {
  return { kind: "system", portalId: BigInt(portalId), part };
}
