import type { PortalId } from "#platform/ids/branded-ids.js";
import { paths } from "../wire/paths.js";

/** Whether HubSpot removed the app from the account. */
export type UninstallOutcome = "uninstalled" | "not-confirmed";

export interface UninstallOptions {
  /** Origin of HubSpot's API. */
  apiUrl: string;
  /** A valid access token of the portal; may refresh it first, and may throw. */
  accessTokenFor: (portalId: PortalId) => Promise<string>;
  /** How long HubSpot may take in total, in ms. */
  timeoutMs: number;
}

/**
 * Uninstalls the app from the account and lets HubSpot mail its admins (docs/hubspot.md §2.5). Never throws: the caller
 * deletes the portal's data whatever HubSpot says. A 401 means that the app is gone there already.
 */
export async function uninstall(options: UninstallOptions, portalId: PortalId): Promise<UninstallOutcome> {
  const isOver = AbortSignal.timeout(options.timeoutMs);
  const tooLate = new Promise<never>((_resolve, reject) => {
    isOver.addEventListener("abort", () => reject(new Error("HubSpot took too long")));
  });
  try {
    const token = await Promise.race([options.accessTokenFor(portalId), tooLate]);
    const response = await fetch(options.apiUrl + paths.uninstall, {
      method: "DELETE",
      headers: { authorization: `Bearer ${token}` },
      signal: isOver,
    });
    await response.body?.cancel();
    return response.status === 204 || response.status === 401 ? "uninstalled" : "not-confirmed";
  } catch {
    return "not-confirmed";
  } finally {
    tooLate.catch(() => undefined);
  }
}
