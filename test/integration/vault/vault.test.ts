import { describe, expect, test } from "@jest/globals";
import { NotConnected, SealBroken, SealKeyUnknown } from "#domain/vault/errors.js";
import { KEYS } from "../../support/site.js";
import {
  NEAR_EXPIRY_MS,
  site,
  portalId,
  later,
  refreshes,
  anotherVault,
  grant,
  tokenRow,
  deferredRefresh,
  inTwoProcesses,
  useVaultSite,
} from "../../support/vault-site.js";

useVaultSite();

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
    const afterward = anotherVault({ keys: [newKey] });
    expect(await afterward.accessTokenFor(portalId)).toBe(token);
    expect(await afterward.accessTokenFor(portalId + 250n)).toBe("access-x");
    later(NEAR_EXPIRY_MS);
    expect(await afterward.accessTokenFor(portalId)).not.toBe(token);
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

test("a portal that never was has no token", async () => {
  await expect(site.vault.accessTokenFor(99n)).rejects.toBeInstanceOf(NotConnected);
  await expect(site.vault.renewAfterRefusal(99n, "x")).rejects.toBeInstanceOf(NotConnected);
});
