import type { RouteCall, RouteIds, TabCall } from "./settings-routes.js";

const tab = (path: string, { body, other = 200 }: { body?: object; other?: number } = {}): TabCall => ({
  kind: "tab",
  path,
  other,
  ...(body === undefined ? {} : { body }),
});

/** The routes of the tab inside HubSpot. */
export function tabRoutes({ portalId, sender, preset }: RouteIds): Record<string, readonly RouteCall[]> {
  const at = "/hubspot/settings";
  const body = {
    version: "0.",
    senderUserId: String(sender),
    presetId: String(preset),
    portalId: String(portalId),
  };
  return {
    [`GET ${at}/overview`]: [
      tab(`${at}/overview`),
      tab(`${at}/overview?portalId=${portalId}`, { other: 400 }),
    ],
    [`GET ${at}/defaults`]: [tab(`${at}/defaults`)],
    [`PUT ${at}/defaults`]: [
      tab(`${at}/defaults`, { body, other: 422 }),
      tab(`${at}/defaults?portalId=${portalId}`, { body, other: 400 }),
    ],
    [`POST ${at}/pause`]: [
      tab(`${at}/pause`, { body: { isPaused: false, portalId: String(portalId) } }),
      tab(`${at}/pause?portalId=${portalId}`, { body: { isPaused: false }, other: 400 }),
    ],
    [`POST ${at}/defaults`]: [
      tab(`${at}/defaults`, { body, other: 422 }),
      tab(`${at}/defaults`, { body: { ...body, senderUserId: null }, other: 422 }),
    ],
  };
}
