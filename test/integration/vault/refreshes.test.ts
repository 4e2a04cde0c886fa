import { describe, expect, test } from "@jest/globals";
import { AppMisconfigured, GrantRevoked, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { mayTakeOver } from "#domain/accounts/rights.js";
import { NotConnected } from "#domain/vault/errors.js";
import { createTokenStore } from "#domain/vault/store.js";
import {
  NEAR_EXPIRY_MS,
  site,
  portalNumber,
  portalId,
  later,
  refreshes,
  anotherVault,
  grant,
  endPause,
  tokenRow,
  portalRow,
  deferredRefresh,
  inTwoProcesses,
  useVaultSite,
} from "../../support/vault-site.js";
import { systemOf } from "../../support/actors.js";

useVaultSite();

describe("a refresh that HubSpot does not grant", () => {
  test("disconnects the portal when the grant is revoked", async () => {
    site.simulator.portals.get(portalNumber)?.uninstall();
    later(NEAR_EXPIRY_MS);
    await expect(site.vault.accessTokenFor(portalId)).rejects.toBeInstanceOf(GrantRevoked);
    expect(await portalRow()).toMatchObject({ status: "DISCONNECTED" });
    expect((await portalRow()).disconnectedReason).toContain("uninstalled or revoked");
    expect(await tokenRow()).toBeNull();
    await expect(site.vault.accessTokenFor(portalId)).rejects.toBeInstanceOf(NotConnected);
  });

  test("notes once in the audit that HubSpot ended the connection, and why", async () => {
    site.simulator.portals.get(portalNumber)?.uninstall();
    later(NEAR_EXPIRY_MS);
    const asks = [site.vault, anotherVault()].map((vault) => vault.accessTokenFor(portalId));
    for (const { status } of await Promise.allSettled(asks)) expect(status).toBe("rejected");
    await expect(site.vault.accessTokenFor(portalId)).rejects.toBeInstanceOf(NotConnected);
    const ended = { where: { action: "DISCONNECTED" } };
    expect(await site.database.prisma.auditEntry.findMany(ended)).toMatchObject([
      {
        portalId,
        userId: null,
        userEmail: "HubSpot",
        subject: "portal",
        before: { connection: "connected" },
        after: { connection: "not_connected", reason: (await portalRow()).disconnectedReason },
      },
    ]);
  });

  test("never disconnects a portal when our own credentials are refused", async () => {
    site.simulator.setTokenEndpoint("invalid_client");
    later(31 * 60_000);
    await expect(site.vault.accessTokenFor(portalId)).rejects.toBeInstanceOf(AppMisconfigured);
    expect(await portalRow()).toMatchObject({ status: "CONNECTED" });
    site.simulator.setTokenEndpoint("ok");
    await endPause();
    expect(await site.vault.accessTokenFor(portalId)).toMatch(/^CL/);
  });

  test("falls back on the old token through an outage for as long as it lives", async () => {
    const token = await site.vault.accessTokenFor(portalId);
    site.simulator.setTokenEndpoint("outage");
    later(NEAR_EXPIRY_MS);
    expect(await site.vault.accessTokenFor(portalId)).toBe(token);
    later(5 * 60_000);
    await expect(site.vault.accessTokenFor(portalId)).rejects.toMatchObject({ code: "HUBSPOT_UNAVAILABLE" });
    expect(await portalRow()).toMatchObject({ status: "CONNECTED" });
    site.simulator.setTokenEndpoint("ok");
    await endPause();
    expect(await site.vault.accessTokenFor(portalId)).not.toBe(token);
  });

  test("is not repeated at every call while the old token serves", async () => {
    let asked = 0;
    const vault = anotherVault({
      refreshGrant: () => {
        asked += 1;
        return Promise.reject(new HubSpotUnavailable("down"));
      },
    });
    later(NEAR_EXPIRY_MS);
    for (let call = 0; call < 20; call += 1) await vault.accessTokenFor(portalId);
    expect(asked).toBe(1);
    later(16_000);
    await endPause();
    await vault.accessTokenFor(portalId);
    expect(asked).toBe(2);
  });

  test("is tried once while HubSpot asks for a pause, by all callers of all processes together", async () => {
    let asked = 0;
    let isDown = true;
    const refreshGrant = (refreshToken: string) => {
      asked += 1;
      return isDown
        ? Promise.reject(new HubSpotUnavailable("429", { retryAfterMs: 15_000 }))
        : site.oauthApi.refreshGrant(refreshToken);
    };
    const vaults = [anotherVault({ refreshGrant }), anotherVault({ refreshGrant })];
    later(31 * 60_000);
    const failures = [];
    for (let round = 0; round < 5; round += 1) {
      const tries = vaults.map((vault) => vault.accessTokenFor(portalId));
      for (const result of await Promise.allSettled(tries))
        failures.push(
          result.status === "rejected" ? (result.reason as { retryAfterMs: number }).retryAfterMs : 0,
        );
    }
    expect(asked).toBe(1);
    expect(failures).toHaveLength(10);
    for (const retryAfterMs of failures) {
      expect(retryAfterMs).toBeGreaterThan(5_000);
      expect(retryAfterMs).toBeLessThanOrEqual(15_000);
    }
    isDown = false;
    await endPause();
    await Promise.all(vaults.map((vault) => vault.accessTokenFor(portalId)));
    expect(asked).toBe(2);
    expect((await tokenRow())?.refreshNotBefore).toBeNull();
  });

  test("keeps out whoever had read the grant before HubSpot asked for the pause", async () => {
    const store = createTokenStore({ pool: site.database.pool, mayTakeOver });
    const [earlier, other] = [await store.find(portalId), await store.find(portalId)];
    if (earlier === undefined || other === undefined) throw new Error("the account has no grant");
    expect(await store.lease(other, 30_000)).toBe(true);
    await store.releaseLease(other, 15_000);
    expect(await store.lease(earlier, 30_000)).toBe(false);
    await endPause();
    expect(await store.lease(earlier, 30_000)).toBe(true);
  });
});

describe("a refresh overtaken by an admin", () => {
  test("gives way to a reinstall that came in between", async () => {
    const refresh = deferredRefresh();
    const vault = anotherVault({ refreshGrant: refresh.refreshGrant });
    later(NEAR_EXPIRY_MS);
    const token = vault.accessTokenFor(portalId);
    await refresh.started;
    await site.vault.saveGrant(grant("reinstalled"));
    refresh.answer({ accessToken: "access-late", refreshToken: "refresh-late", expiresInSeconds: 1800 });
    expect(await token).toBe("access-reinstalled");
    expect(await anotherVault().accessTokenFor(portalId)).toBe("access-reinstalled");
  });

  test("does not disconnect a portal that was reinstalled while the old grant was refused", async () => {
    const refresh = deferredRefresh();
    const vault = anotherVault({ refreshGrant: refresh.refreshGrant });
    later(NEAR_EXPIRY_MS);
    const token = vault.accessTokenFor(portalId);
    await refresh.started;
    await site.vault.saveGrant(grant("reinstalled"));
    refresh.refuse(new GrantRevoked("gone"));
    expect(await token).toBe("access-reinstalled");
    expect(await portalRow()).toMatchObject({ status: "CONNECTED" });
  });

  test("brings no token back into a portal that was disconnected", async () => {
    const refresh = deferredRefresh();
    const vault = anotherVault({ refreshGrant: refresh.refreshGrant });
    later(NEAR_EXPIRY_MS);
    const token = vault.accessTokenFor(portalId);
    await refresh.started;
    await site.vault.disconnect({ actor: systemOf(portalId), reason: "An admin disconnected it." });
    refresh.answer({ accessToken: "access-late", refreshToken: "refresh-late", expiresInSeconds: 1800 });
    await expect(token).rejects.toBeInstanceOf(NotConnected);
    expect(await tokenRow()).toBeNull();
  });

  test("a disconnect or reinstall in another process shows within thirty seconds", async () => {
    await site.vault.accessTokenFor(portalId);
    await anotherVault().saveGrant(grant("elsewhere"));
    later(30_000);
    expect(await site.vault.accessTokenFor(portalId)).toBe("access-elsewhere");
    await anotherVault().disconnect({ actor: systemOf(portalId), reason: "gone" });
    later(30_000);
    await expect(site.vault.accessTokenFor(portalId)).rejects.toBeInstanceOf(NotConnected);
  });
});

describe("after a 401", () => {
  test("a token is renewed once for all who were refused", async () => {
    const refused = await site.vault.accessTokenFor(portalId);
    site.simulator.setLatency(100);
    const tokens = await Promise.all(
      Array.from({ length: 20 }, () => site.vault.renewAfterRefusal(portalId, refused)),
    );
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(refused);
    expect(refreshes()).toBe(1);
    expect(await site.vault.accessTokenFor(portalId)).toBe(tokens[0]);
  });

  test("a token that somebody else has already replaced is used without a refresh", async () => {
    const refused = await site.vault.accessTokenFor(portalId);
    await anotherVault().saveGrant(grant("replaced"));
    expect(await site.vault.renewAfterRefusal(portalId, refused)).toBe("access-replaced");
    expect(refreshes()).toBe(0);
  });

  test("two processes refused at once renew it once", async () => {
    const refusedToken = await site.vault.accessTokenFor(portalId);
    site.simulator.setLatency(300);
    const tokens = await inTwoProcesses({ aheadMs: 0, refusedToken });
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(refusedToken);
    expect(refreshes()).toBe(1);
  });

  test("an outage is an outage: the refused token is not handed out again", async () => {
    const refused = await site.vault.accessTokenFor(portalId);
    site.simulator.setTokenEndpoint("outage");
    await expect(site.vault.renewAfterRefusal(portalId, refused)).rejects.toBeInstanceOf(HubSpotUnavailable);
  });

  test("an uninstalled portal is disconnected", async () => {
    const refused = await site.vault.accessTokenFor(portalId);
    site.simulator.portals.get(portalNumber)?.uninstall();
    await expect(site.vault.renewAfterRefusal(portalId, refused)).rejects.toBeInstanceOf(GrantRevoked);
    expect(await portalRow()).toMatchObject({ status: "DISCONNECTED" });
  });
});
