import type { Request } from "express";
import { PROXY_IDENTITY } from "#web/kit/proxy-identity.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";

/** Who has the settings tab open, by HubSpot's word: the parameters are part of what it signed (docs/hubspot.md §8.2). */
export interface Asker {
  readonly portalId: PortalId;
  readonly userId: UserId;
  /** The app whose tab asks; undefined if HubSpot did not tell. */
  readonly appId: string | undefined;
  /** For the audit trail only; undefined if HubSpot did not tell. */
  readonly userEmail: string | undefined;
}

const ID = /^[1-9]\d{0,17}$/;

/**
 * Reads the identity that HubSpot's proxy appended to the query. Undefined if a part is missing, malformed or given
 * twice: a second `portalId` could only come from the caller's own URL, and it must never be the one that is believed.
 *
 * Call it for requests whose v3 signature was verified, and no others.
 */
export function readAsker({ originalUrl }: Pick<Request, "originalUrl">): Asker | undefined {
  const query = new URL(originalUrl, "http://localhost").searchParams;
  if (PROXY_IDENTITY.some((name) => query.getAll(name).length > 1)) return undefined;
  const portalId = query.get("portalId") ?? "";
  const userId = query.get("userId") ?? "";
  if (!ID.test(portalId) || !ID.test(userId)) return undefined;
  // A plus sign that was not escaped reads as a space, which an address cannot contain.
  const userEmail = cutText((query.get("userEmail") ?? "").replaceAll(" ", "+"), 320);
  const appId = query.get("appId") ?? "";
  return {
    portalId: BigInt(portalId),
    userId: BigInt(userId),
    appId: ID.test(appId) ? appId : undefined,
    userEmail: userEmail || undefined,
  };
}
