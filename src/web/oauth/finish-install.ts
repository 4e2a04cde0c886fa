import type { Request, Response } from "express";
import type { Sessions } from "#web/settings/session/session.js";
import { AppError } from "../../errors.js";
import type { AuthorizedGrant, CodeExchange, OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import type { Logger } from "#platform/observability/logger.js";
import type { GrantTerms, SavedGrant } from "#domain/vault/grant.js";
import type { Vault } from "#domain/vault/vault.js";
import type { Confirmation, ConfirmSigner } from "./confirm-signer.js";
import { peerOf } from "#web/kit/peer.js";
import type { ExchangeGuard } from "./exchange-guard.js";
import { sendEnding, type Ending } from "./pages.js";
import { trustedReturnUrl, type ReturnOptions } from "./return-url.js";
import type { InstallStates, Purpose } from "./state.js";
import type { SignIn } from "#domain/contract/session-identity.js";

export interface FinishOptions extends ReturnOptions {
  oauthApi: OAuthApi;
  exchanges: ExchangeGuard;
  vault: Pick<Vault, "saveGrant">;
  states: InstallStates;
  sessions: Sessions;
  /** Asks HubSpot who the user is in the account now. */
  confirmSigner: ConfirmSigner;
  /** Notes in the account's audit who signed in, or was not let in. */
  recordSignIn: (signIn: SignIn) => Promise<void>;
  /** Told after a portal was connected again; wakes the directory sync. */
  onInstalled: (portalId: bigint) => Promise<void>;
  logger: Logger;
}

/** Where a browser that brought a code without a state ends: the install is done, but nobody is signed in by it. */
export const INSTALLED_PATH = "/settings/installed";

/**
 * The callback with (or without) an authorization code. The order matters: the state is checked and used up before
 * the code is exchanged, and the portal is the one HubSpot's answer names, never one from the query.
 */
export async function finishInstall(
  options: FinishOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const { code, state } = request.query;
  if (typeof code !== "string" || code === "") return sendEnding(response, "denied");
  const peer = peerOf(request.socket.remoteAddress);
  // Before the state is used up: the same link is still good in a minute.
  if (!options.exchanges.hasRoom(peer)) return sendEnding(response, "busy");
  const checked = await checkState(options.states, { request, state });
  if (checked.kind === "refused") return sendEnding(response, checked.ending);
  const exchange = await exchangeCode(options, { code, peer });
  if (typeof exchange === "string") return sendEnding(response, exchange, checked.purpose);
  if (exchange.kind === "code-refused") return sendEnding(response, "code-refused", checked.purpose);
  const { grant } = exchange;
  const confirmation = await options.confirmSigner(grant, checked.purpose);
  const isUserConfirmed = confirmation !== "unanswered";
  const saved = await connect(options, grant, { occasion: checked.purpose, isUserConfirmed });
  const ending = endingOf(checked, confirmation, saved);
  // An old answer gives no access: if HubSpot does not confirm the user, an install ends without a session.
  const isSignedIn = checked.isThisBrowser && isUserConfirmed && ending === undefined;
  // Before the session exists: nobody gets in without an audit entry.
  if (saved.isKnown && checked.isThisBrowser) {
    const isConnecting = checked.purpose === "install" && saved.kind === "used";
    await options.recordSignIn({ by: grant, isOpen: isSignedIn, isConnecting });
  }
  if (ending !== undefined) return sendEnding(response, ending, checked.purpose);
  if (isSignedIn) {
    options.sessions.open(response, grant, saved.at);
    options.logger.info(
      { portalId: grant.portalId, userId: grant.userId },
      "a user signed in to the settings site",
    );
  }
  leave(options, { request, response, isSignedIn });
}

/** Where a sign-in leads to no session. */
function endingOf(
  { purpose }: { purpose: Purpose },
  confirmation: Confirmation,
  saved: SavedGrant,
): Ending | undefined {
  if (purpose === "install") return undefined;
  if (!saved.isKnown) return "not-installed";
  return confirmation === "unanswered" ? "hubspot-down" : undefined;
}

type StateCheck =
  { kind: "checked"; purpose: Purpose; isThisBrowser: boolean } | { kind: "refused"; ending: Ending };

/**
 * A missing state is what a marketplace install without partner sign-in looks like (docs/hubspot.md §2.2): it may finish, but
 * it is tied to no browser, so it must not sign anybody in. A state that is there has to be right.
 */
async function checkState(
  states: InstallStates,
  { request, state }: { request: Request; state: unknown },
): Promise<StateCheck> {
  if (state === undefined) return { kind: "checked", purpose: "install", isThisBrowser: false };
  if (typeof state !== "string") return { kind: "refused", ending: "forged" };
  const verdict = await states.redeem(request, state);
  if (verdict.kind !== "valid") return { kind: "refused", ending: verdict.kind };
  return { kind: "checked", purpose: verdict.purpose, isThisBrowser: true };
}

async function exchangeCode(
  { exchanges, logger }: FinishOptions,
  { code, peer }: { code: string; peer: string },
): Promise<CodeExchange | Ending> {
  try {
    return await exchanges.exchange(code, peer);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    logger.error({ err: error }, "could not exchange an authorization code");
    return error.code === "APP_MISCONFIGURED" ? "misconfigured" : "hubspot-down";
  }
}

async function connect(
  options: FinishOptions,
  grant: AuthorizedGrant,
  terms: GrantTerms,
): Promise<SavedGrant> {
  const { portalId, userId, scopes } = grant;
  const saved = await options.vault.saveGrant(grant, terms);
  const what = { portalId, userId, scopes, ...terms, wasConnected: saved.wasConnected };
  if (saved.kind !== "used") {
    options.logger.info(what, "a new authorization was not used; the portal's connection is as it was");
    return saved;
  }
  options.logger.info(what, "portal connected");
  // The portal is connected whatever comes of this; the directory is asked for again by the next sweep.
  await options.onInstalled(portalId).catch((error: unknown) => {
    options.logger.error({ portalId, err: error }, "could not wake the directory sync");
  });
  return saved;
}

/** A redirect in every case, so that the code leaves the address bar. */
function leave(
  options: FinishOptions,
  { request, response, isSignedIn }: { request: Request; response: Response; isSignedIn: boolean },
): void {
  const returnUrl = trustedReturnUrl(request.query["returnUrl"], options);
  const ownPage = isSignedIn ? "/settings" : INSTALLED_PATH;
  response.set("Cache-Control", "no-store").redirect(303, returnUrl?.href ?? ownPage);
}
