import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "@jest/globals";
import type { EncryptionKey } from "../../src/config.js";
import { CLIENT, KEYS, SESSION_SECRET } from "../support/site.js";
import { anotherVault, grant, portalId, site, useVaultSite } from "../support/vault-site.js";

const ACCOUNTS = 1_000n;
const NEW_KEY = { id: "k2", key: Buffer.alloc(32, 2) };

useVaultSite();

/** `npm run keys:reseal` with both keys, the new one first; killed when it says what `killAt` looks for. */
async function reseal({ killAt }: { killAt?: RegExp } = {}) {
  const child = spawn(process.execPath, ["--import", "tsx", "src/bin/rotate-vault-key.ts"], {
    env: {
      ...process.env,
      NODE_ENV: "development",
      LOG_LEVEL: "warn",
      DATABASE_URL: site.database.url,
      PUBLIC_URL: "http://localhost:3000",
      HUBSPOT_CLIENT_ID: CLIENT.clientId,
      HUBSPOT_CLIENT_SECRET: CLIENT.clientSecret,
      SESSION_SECRET,
      ENCRYPTION_KEYS: keysAsText([NEW_KEY, ...KEYS]),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (killAt?.test(line) === true) child.kill("SIGKILL");
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  return { code, signal, lines };
}

const keysAsText = (keys: readonly EncryptionKey[]) =>
  keys.map(({ id, key }) => `${id}:${key.toString("base64")}`).join(",");

async function grantsByKey(): Promise<Record<string, number>> {
  const { rows } = await site.database.pool.query<{ key: string; grants: number }>(
    "SELECT split_part(refresh_token_sealed, '.', 2) AS key, count(*)::int AS grants FROM portal_tokens GROUP BY 1",
  );
  return Object.fromEntries(rows.map(({ key, grants }) => [key, grants]));
}

/** What each account's access token opens to. */
async function openAll(keys: readonly [EncryptionKey, ...EncryptionKey[]]): Promise<string[]> {
  const vault = anotherVault({ keys });
  const opened: string[] = [];
  for (let index = 1n; index <= ACCOUNTS; index += 1n)
    opened.push(await vault.accessTokenFor(portalId + index));
  return opened;
}

test("a re-sealing that is killed during its work loses nothing, and the next one does the rest", async () => {
  const tokens: string[] = [];
  for (let index = 1n; index <= ACCOUNTS; index += 1n) {
    await site.vault.saveGrant({ ...grant(String(index)), portalId: portalId + index });
    tokens.push(`access-${index}`);
  }

  const killed = await reseal({ killAt: /^Grants so far: 400$/ });
  expect(killed).toMatchObject({ code: null, signal: "SIGKILL" });
  const half = await grantsByKey();
  expect(half["k2"]).toBeGreaterThanOrEqual(400);
  expect(half["k1"]).toBeGreaterThan(0);
  expect(await openAll([KEYS[0], NEW_KEY])).toEqual(tokens);
  expect(await openAll([NEW_KEY, KEYS[0]])).toEqual(tokens);

  const { code, lines } = await reseal();
  expect(code).toBe(0);
  expect(lines).toContain(`Re-sealed grants: ${half["k1"]}`);
  expect(lines.at(-1)).toBe("Everything is sealed with k2. Older keys may be removed.");
  expect(await grantsByKey()).toEqual({ k2: Number(ACCOUNTS) + 1 });
  expect(await openAll([NEW_KEY])).toEqual(tokens);
  expect((await reseal()).lines).toContain("Re-sealed grants: 0");
}, 120_000);
