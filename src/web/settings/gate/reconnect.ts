import type { Request, Response } from "express";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { FEATURE_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import type { SettingsOptions } from "../session/site-options.js";
import { identifyVisit } from "../session/visit.js";

/**
 * Sends the browser to HubSpot's consent page, to connect its account again; `?for=unenroll` asks for what that feature
 * needs as well. A new grant takes the place of the old one, so the permissions that the account has given for features
 * are asked for again. Everybody but its admins gets the same as for a first install.
 */
export async function reconnect(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await identifyVisit(options, request);
  const mayKnow = (visit.kind === "member" && visit.role === "admin") || visit.kind === "disconnected";
  response.set("Cache-Control", "no-store");
  response.redirect(mayKnow ? installPath(visit.portal, request.query["for"]) : "/oauth/install");
}

function installPath({ portalId, scopes }: PortalOverview, wanted: unknown): string {
  // A permission that some feature needs was given for one: half of them are not to be lost, either.
  const features = Object.entries(FEATURE_SCOPES)
    .filter(([name, needed]) => name === wanted || needed.some((scope) => scopes.includes(scope)))
    .map(([name]) => name);
  const query = features.length === 0 ? "" : `for=${features.join(",")}&`;
  return `/oauth/install?${query}portalId=${portalId}`;
}
