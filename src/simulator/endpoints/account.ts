import { NO_CONTENT, ok, type Answer } from "../wire/answer.js";
import type { ApiCall, ApiRoute } from "./call.js";

/** Account details (docs/hubspot.md §2.8) and the app's own removal (docs/hubspot.md §2.5). */
export const ACCOUNT_ROUTES: readonly ApiRoute[] = [
  {
    method: "GET",
    path: "/account-info/2026-09/details",
    endpoint: "account",
    scopes: ["oauth"],
    answer: details,
  },
  ...["2026-03", "2026-09"].map((version): ApiRoute => ({
    method: "DELETE",
    path: `/appinstalls/${version}/external-install`,
    endpoint: "uninstall",
    scopes: ["oauth"],
    answer: uninstall,
  })),
];

function details({ portal, nowMs }: ApiCall): Answer {
  const offsetMinutes = utcOffsetMinutes(portal.traits.timeZone, nowMs);
  const sign = offsetMinutes < 0 ? "-" : "+";
  const digits = (value: number): string => String(Math.trunc(value)).padStart(2, "0");
  return ok({
    portalId: portal.portalId,
    accountType: "STANDARD",
    timeZone: portal.traits.timeZone,
    utcOffset: `${sign}${digits(Math.abs(offsetMinutes) / 60)}:${digits(Math.abs(offsetMinutes) % 60)}`,
    utcOffsetMilliseconds: offsetMinutes * 60_000,
    uiDomain: portal.traits.uiDomain,
    dataHostingLocation: "na1",
    companyCurrency: "USD",
    additionalCurrencies: [],
  });
}

function utcOffsetMinutes(timeZone: string, atMs: number): number {
  const wall = new Date(atMs).toLocaleString("sv-SE", { timeZone });
  const utc = new Date(atMs).toLocaleString("sv-SE", { timeZone: "UTC" });
  return Math.round(
    (Date.parse(`${wall.replace(" ", "T")}Z`) - Date.parse(`${utc.replace(" ", "T")}Z`)) / 60_000,
  );
}

function uninstall({ portal }: ApiCall): Answer {
  portal.uninstall();
  return NO_CONTENT;
}
