import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import {
  OPTIONAL_SCOPES,
  REQUIRED_SCOPES,
  SEGMENT_SCOPES,
  UNENROLL_SCOPES,
} from "#platform/hubspot/oauth/scopes.js";
import { systemOf } from "../../support/actors.js";
import type { Browser } from "../../support/browser.js";
import { browser, portalId, site, useSettingsStage } from "../../support/settings-stage.js";

useSettingsStage();

const PATH = "/settings/reconnect";

async function grant(scopes: readonly string[]): Promise<void> {
  await site.database.pool.query("UPDATE portals SET scopes = $2 WHERE portal_id = $1", [
    portalId,
    [...REQUIRED_SCOPES, ...OPTIONAL_SCOPES, ...scopes],
  ]);
}

/** Which optional permissions HubSpot's page is asked for, and for which account. */
async function asked(path = PATH, from: Browser = browser): Promise<{ optional: string[]; account: string }> {
  const { location = "" } = await from.get(path);
  const consent = new URL((await from.get(location)).location ?? "");
  const account = /\d+/.exec(consent.pathname)?.[0] ?? "any";
  return { account, optional: (consent.searchParams.get("optional_scope") ?? "").split(" ").sort() };
}

const sorted = (...scopes: readonly string[]): string[] => [...OPTIONAL_SCOPES, ...scopes].sort();

describe("whoever connects the account again", () => {
  test("is asked for all permissions that the account has given, also after it was disconnected", async () => {
    const account = String(portalId);
    expect(await asked()).toEqual({ account, optional: sorted() });
    await grant([...UNENROLL_SCOPES, ...SEGMENT_SCOPES]);
    const all = { account, optional: sorted(...UNENROLL_SCOPES, ...SEGMENT_SCOPES) };
    expect(await asked()).toEqual(all);
    await site.vault.disconnect({ actor: systemOf(portalId), reason: "Uninstalled." });
    expect(await asked()).toEqual(all);
  });

  test("keeps them when a further feature asks for its own", async () => {
    await grant(SEGMENT_SCOPES);
    expect((await asked(`${PATH}?for=unenroll`)).optional).toEqual(
      sorted(...UNENROLL_SCOPES, ...SEGMENT_SCOPES),
    );
    for (const odd of ["?for=everything", "?for=unenroll&for=unenroll", "?for[]=unenroll", "?for="])
      expect((await asked(PATH + odd)).optional).toEqual(sorted(...SEGMENT_SCOPES));
  });

  test("learns nothing of the account's permissions unless they administer it", async () => {
    await grant(UNENROLL_SCOPES);
    const nothing = { account: "any", optional: sorted() };
    expect(await asked(`${PATH}?portalId=${portalId}`, site.browser())).toEqual(nothing);
    await site.database.pool.query("DELETE FROM portal_admins");
    await site.database.pool.query(
      "UPDATE portals SET users_read_at = now(), authorized_by_user_id = 1 WHERE portal_id = $1",
      [portalId],
    );
    expect((await browser.get("/settings")).status).toBe(403);
    expect(await asked()).toEqual(nothing);
  });
});

test("no page of the settings site leads to an install that would forget permissions, but for strangers", () => {
  const rooms = new URL("../../../src/web/settings/", import.meta.url);
  const files = readdirSync(rooms, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  expect(files.length).toBeGreaterThan(50);
  const linking = files.filter((name) =>
    readFileSync(new URL(name, rooms), "utf8").includes("/oauth/install"),
  );
  expect(linking.sort()).toEqual(["gate/gate-pages.tsx", "gate/reconnect.ts"]);
});
