import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { mayTakeOver } from "#domain/accounts/rights.js";
import { createLogger } from "#platform/observability/logger.js";
import { AppMisconfigured, GrantRevoked, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import { NotConnected, SealBroken, SealKeyUnknown } from "#domain/vault/errors.js";
import type { Grant, RefreshedGrant } from "#domain/vault/grant.js";
import { createVault, type Vault, type VaultOptions } from "#domain/vault/vault.js";
import { CLIENT, install, KEYS, startSite, type Site } from "../../support/site.js";
import type { VaultTask } from "../../support/vault-process.js";

/** Four minutes before the 1800 s of a token are over: past the point where the vault renews it. */
const NEAR_EXPIRY_MS = 26 * 60_000;

let site: Site;
let portalNumber: number;
let portalId: bigint;

beforeEach(async () => {
  site = await startSite();
  portalNumber = site.simulator.addPortal().portalId;
  portalId = BigInt(portalNumber);
  await install(site, site.browser(), portalNumber);
});

afterEach(() => site.close());

function later(ms: number): void {
  site.clock.now = new Date(site.clock.now.getTime() + ms);
}

function refreshes(): number {
  return site.simulator.portals.get(portalNumber)?.traffic.tokenRequests["refresh_token"] ?? 0;
}

/** Another process's vault, as far as memory goes. */
function anotherVault(options: Partial<VaultOptions> = {}): Vault {
  return createVault({
    database: site.database,
    keys: KEYS,
    refreshGrant: site.oauthApi.refreshGrant,
    now: () => site.clock.now,
    logger: createLogger({ level: "silent" }),
    revokeGrant: () => Promise.resolve(),
    mayTakeOver,
    ...options,
  });
}

function grant(name: string): Grant {
  return {
    portalId,
    accessToken: `access-${name}`,
    refreshToken: `refresh-${name}`,
    expiresInSeconds: 1800,
    scopes: ["oauth"],
    // An admin's: anybody else's would not replace the one in use.
    userId: BigInt(site.simulator.portals.get(portalNumber)?.admin.userId ?? 0),
    userEmail: "ann@acme.example",
    hubDomain: "acme.example",
  };
}

/** What a refresh that failed left behind is over. */
const endPause = () => site.database.pool.query("UPDATE portal_tokens SET refresh_not_before = NULL");

const tokenRow = () => site.database.prisma.portalToken.findUnique({ where: { portalId } });
const portalRow = () => site.database.prisma.portal.findUniqueOrThrow({ where: { portalId } });

describe("tokens at rest", () => {
  test("are nowhere in the database in the clear", async () => {
    await site.vault.saveGrant(grant("in-the-clear"));
    const { rows: tables } = await site.database.pool.query<{ name: string }>(
      "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    expect(tables.length).toBeGreaterThan(5);
    for (const { name } of tables) {
      const { rows } = await site.database.pool.query(`SELECT t::text AS row FROM ${name} t`);
      expect(JSON.stringify(rows)).not.toContain("in-the-clear");
    }
    expect(await site.vault.accessTokenFor(portalId)).toBe("access-in-the-clear");
  });

  test("do not open once altered, nor in another portal's row", async () => {
    const other = { ...grant("other"), portalId: portalId + 1n };
    await site.vault.saveGrant(other);
    const stolen = await tokenRow();
    await site.database.prisma.portalToken.update({
      where: { portalId: other.portalId },
      data: { accessTokenSealed: stolen?.accessTokenSealed ?? "" },
    });
    await expect(anotherVault().accessTokenFor(other.portalId)).rejects.toBeInstanceOf(SealBroken);
    expect(await anotherVault().accessTokenFor(portalId)).toMatch(/^CL/);
  });
});

describe("a rotation of the encryption key", () => {
  const newKey = { id: "k2", key: Buffer.alloc(32, 2) };

  test("re-seals every row, after which the old key may go", async () => {
    for (let index = 1n; index <= 250n; index += 1n)
      await site.vault.saveGrant({ ...grant("x"), portalId: portalId + index });
    const token = await site.vault.accessTokenFor(portalId);
    const rotated = anotherVault({ keys: [newKey, ...KEYS] });
    await expect(anotherVault({ keys: [newKey] }).accessTokenFor(portalId)).rejects.toBeInstanceOf(
      SealKeyUnknown,
    );
    expect(await rotated.reseal()).toBe(251);
    expect(await rotated.reseal()).toBe(0);
    const afterwards = anotherVault({ keys: [newKey] });
    expect(await afterwards.accessTokenFor(portalId)).toBe(token);
    expect(await afterwards.accessTokenFor(portalId + 250n)).toBe("access-x");
    later(NEAR_EXPIRY_MS);
    expect(await afterwards.accessTokenFor(portalId)).not.toBe(token);
  });

  test("does not pull the row away under a refresh that is going on", async () => {
    const refresh = deferredRefresh();
    const refreshing = anotherVault({ refreshGrant: refresh.refreshGrant });
    later(NEAR_EXPIRY_MS);
    const token = refreshing.accessTokenFor(portalId);
    await refresh.started;
    const rotated = anotherVault({ keys: [newKey, ...KEYS] }).reseal();
    refresh.answer({ accessToken: "access-new", refreshToken: "refresh-new", expiresInSeconds: 1800 });
    expect(await token).toBe("access-new");
    expect(await rotated).toBe(1);
    expect(await anotherVault({ keys: [newKey] }).accessTokenFor(portalId)).toBe("access-new");
  });

  test("finishes the other rows before it reports one that does not open", async () => {
    await site.vault.saveGrant({ ...grant("sound"), portalId: portalId + 1n });
    await site.database.prisma.portalToken.update({
      where: { portalId },
      data: { refreshTokenSealed: "rubbish" },
    });
    await expect(anotherVault({ keys: [newKey, ...KEYS] }).reseal()).rejects.toBeInstanceOf(SealBroken);
    expect(await anotherVault({ keys: [newKey] }).accessTokenFor(portalId + 1n)).toBe("access-sound");
  });
});

describe("a token near its end", () => {
  test("is renewed when less than five minutes are left, and not before", async () => {
    const token = await site.vault.accessTokenFor(portalId);
    later(24 * 60_000);
    expect(await site.vault.accessTokenFor(portalId)).toBe(token);
    expect(refreshes()).toBe(0);
    later(2 * 60_000);
    expect(await site.vault.accessTokenFor(portalId)).not.toBe(token);
    expect(refreshes()).toBe(1);
  });

  test("is renewed once for fifty callers at the same time", async () => {
    later(NEAR_EXPIRY_MS);
    site.simulator.setLatency(200);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => site.vault.accessTokenFor(portalId)));
    expect(new Set(tokens).size).toBe(1);
    expect(refreshes()).toBe(1);
    expect(await anotherVault().accessTokenFor(portalId)).toBe(tokens[0]);
  });

  test("is renewed once for callers in two processes", async () => {
    const before = await site.vault.accessTokenFor(portalId);
    site.simulator.setLatency(300);
    const tokens = await inTwoProcesses({ aheadMs: NEAR_EXPIRY_MS });
    expect(tokens).toHaveLength(50);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(before);
    expect(refreshes()).toBe(1);
  });

  test("is renewed with whatever refresh token came last", async () => {
    const seen: string[] = [];
    const rotating = anotherVault({
      refreshGrant: (refreshToken) => {
        seen.push(refreshToken);
        const next = `generation-${seen.length}`;
        return Promise.resolve({ accessToken: `access-${next}`, refreshToken: next, expiresInSeconds: 1800 });
      },
    });
    await rotating.saveGrant(grant("first"));
    for (let round = 0; round < 3; round += 1) {
      later(NEAR_EXPIRY_MS);
      await rotating.accessTokenFor(portalId);
    }
    expect(seen).toEqual(["refresh-first", "generation-1", "generation-2"]);
  });

  test("is stored before anybody uses it", async () => {
    const refresh = deferredRefresh();
    const vault = anotherVault({ refreshGrant: refresh.refreshGrant });
    later(NEAR_EXPIRY_MS);
    const token = vault.accessTokenFor(portalId).then(async () => (await tokenRow())?.refreshTokenSealed);
    await refresh.started;
    const before = (await tokenRow())?.refreshTokenSealed;
    refresh.answer({ accessToken: "access-new", refreshToken: "refresh-new", expiresInSeconds: 1800 });
    expect(await token).not.toBe(before);
  });

  test("is renewed by another process when the one that began died", async () => {
    later(NEAR_EXPIRY_MS);
    await site.database.pool.query(
      "UPDATE portal_tokens SET refresh_lease_until = now() + interval '400 ms'",
    );
    const before = (await tokenRow())?.accessTokenSealed;
    await site.vault.accessTokenFor(portalId);
    expect((await tokenRow())?.accessTokenSealed).not.toBe(before);
    expect(refreshes()).toBe(1);
  });

  test("is used a little longer while another process takes long to renew it", async () => {
    const token = await site.vault.accessTokenFor(portalId);
    later(NEAR_EXPIRY_MS);
    await site.database.pool.query("UPDATE portal_tokens SET refresh_lease_until = now() + interval '30 s'");
    expect(await site.vault.accessTokenFor(portalId)).toBe(token);
    expect(refreshes()).toBe(0);
  });
});

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
    await site.vault.disconnect(portalId, "An admin disconnected it.");
    refresh.answer({ accessToken: "access-late", refreshToken: "refresh-late", expiresInSeconds: 1800 });
    await expect(token).rejects.toBeInstanceOf(NotConnected);
    expect(await tokenRow()).toBeNull();
  });

  test("a disconnect or reinstall in another process shows within thirty seconds", async () => {
    await site.vault.accessTokenFor(portalId);
    await anotherVault().saveGrant(grant("elsewhere"));
    later(30_000);
    expect(await site.vault.accessTokenFor(portalId)).toBe("access-elsewhere");
    await anotherVault().disconnect(portalId, "gone");
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

  test("a token that somebody else replaced already is taken over without a refresh", async () => {
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

test("a portal that never was has no token", async () => {
  await expect(site.vault.accessTokenFor(99n)).rejects.toBeInstanceOf(NotConnected);
  await expect(site.vault.renewAfterRefusal(99n, "x")).rejects.toBeInstanceOf(NotConnected);
});

/** HubSpot's answer to a refresh, given when the test says so. */
function deferredRefresh() {
  const started = deferred<void>();
  const answered = deferred<RefreshedGrant>();
  return {
    started: started.promise,
    answer: answered.resolve,
    refuse: answered.reject,
    refreshGrant: () => {
      started.resolve();
      return answered.promise;
    },
  };
}

function deferred<Value>() {
  let resolve!: (value: Value) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<Value>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}

/** 25 callers in each of two real processes, started together; gives the 50 tokens they got. */
async function inTwoProcesses(options: Pick<VaultTask, "aheadMs" | "refusedToken">): Promise<string[]> {
  const script = fileURLToPath(new URL("../../support/vault-process.ts", import.meta.url));
  const children = [1, 2].map(() => fork(script, { execArgv: ["--import", "tsx"] }));
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    const results = await Promise.all(children.map((child) => askForTokens(child, options)));
    return results.flat();
  } finally {
    for (const child of children) child.kill();
  }
}

async function askForTokens(
  child: ChildProcess,
  options: Pick<VaultTask, "aheadMs" | "refusedToken">,
): Promise<string[]> {
  const task: VaultTask = {
    databaseUrl: site.database.url,
    apiUrl: site.simulator.url,
    clientId: CLIENT.clientId,
    clientSecret: CLIENT.clientSecret,
    keyBase64: KEYS[0].key.toString("base64"),
    portalId: portalId.toString(),
    callers: 25,
    ...options,
  };
  const answer = once(child, "message");
  child.send(task);
  return ((await answer) as [string[]])[0];
}
