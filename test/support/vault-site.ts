import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach } from "@jest/globals";
import { mayTakeOver } from "#domain/accounts/rights.js";
import { createLogger } from "#platform/observability/logger.js";
import type { Grant, RefreshedGrant } from "#platform/hubspot/oauth/oauth-api.js";
import { createVault, type Vault, type VaultOptions } from "#domain/vault/vault.js";
import { CLIENT, install, KEYS, startSite, type Site } from "./site.js";
import type { VaultTask } from "./vault-process.js";

/** Four minutes before the 1800 s of a token are over: past the point where the vault renews it. */
export const NEAR_EXPIRY_MS = 26 * 60_000;

export let site: Site;

export let portalNumber: number;

export let portalId: bigint;

export function later(ms: number): void {
  site.clock.now = new Date(site.clock.now.getTime() + ms);
}

export function refreshes(): number {
  return site.simulator.portals.get(portalNumber)?.traffic.tokenRequests["refresh_token"] ?? 0;
}

/** Another process's vault, as far as memory goes. */
export function anotherVault(options: Partial<VaultOptions> = {}): Vault {
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

export function grant(name: string): Grant {
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
export const endPause = () => site.database.pool.query("UPDATE portal_tokens SET refresh_not_before = NULL");

export const tokenRow = () => site.database.prisma.portalToken.findUnique({ where: { portalId } });

export const portalRow = () => site.database.prisma.portal.findUniqueOrThrow({ where: { portalId } });

/** HubSpot's answer to a refresh, given when the test says so. */
export function deferredRefresh() {
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

export function deferred<Value>() {
  let resolve!: (value: Value) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<Value>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}

/** 25 callers in each of two real processes, started together; gives the 50 tokens they got. */
export async function inTwoProcesses(
  options: Pick<VaultTask, "aheadMs" | "refusedToken">,
): Promise<string[]> {
  const script = fileURLToPath(new URL("./vault-process.ts", import.meta.url));
  const children = [1, 2].map(() => fork(script, { execArgv: ["--import", "tsx"] }));
  try {
    await Promise.all(children.map((child) => once(child, "message")));
    const results = await Promise.all(children.map((child) => askForTokens(child, options)));
    return results.flat();
  } finally {
    for (const child of children) child.kill();
  }
}

export async function askForTokens(
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

/** A site for each test, with one account that is connected. */
export function useVaultSite(): void {
  beforeEach(async () => {
    site = await startSite();
    portalNumber = site.simulator.addPortal().portalId;
    portalId = BigInt(portalNumber);
    await install(site, site.browser(), portalNumber);
  });

  afterEach(() => site.close());
}
