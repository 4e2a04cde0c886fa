import type { SimulatedPortal } from "../portal.js";
import type { SigningPlan } from "../world/signing.js";
import type { World } from "../world/world.js";
import { deliver } from "./outbound.js";

export interface SignedFetch {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** Who has the settings tab open. Default: the super admin. */
  readonly userId?: number;
  /** The app whose tab makes the request. Default: the one HubSpot calls. */
  readonly appId?: string;
  readonly publicUrl?: string;
  readonly signing?: SigningPlan;
}

/** `hubspot.fetch` of a UI extension: HubSpot appends who is asking and signs v3 (docs/hubspot.md §8.2). */
export async function signedFetch(
  world: World,
  portal: SimulatedPortal,
  request: SignedFetch & { readonly url: string },
): Promise<{ status: number; body: string }> {
  const user = request.userId === undefined ? portal.admin : portal.user(request.userId);
  const url = new URL(request.url);
  url.searchParams.append("userId", String(user.userId));
  url.searchParams.append("portalId", String(portal.portalId));
  url.searchParams.append("userEmail", user.email);
  url.searchParams.append("appId", request.appId ?? world.settings.appId);
  const answer = await deliver(world, {
    method: request.method ?? "GET",
    url: url.href,
    publicUrl: request.publicUrl,
    body: request.body === undefined ? "" : JSON.stringify(request.body),
    signing: request.signing ?? { v3: "good" },
    timeoutMs: 15_000,
  });
  return answer.kind === "answered" ? answer : { status: 0, body: answer.reason };
}
