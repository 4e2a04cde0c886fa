import type { Request, Response } from "express";
import type { Sessions } from "#web/settings/session/session.js";
import { AppError } from "../../errors.js";
import type { Grant, CodeExchange, OAuthApi } from "#platform/hubspot/oauth/oauth-api.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { GrantTerms, SavedGrant, SignerConfirmation } from "#domain/vault/grant.js";
import type { Vault } from "#domain/vault/vault.js";
import type { ConfirmSigner } from "./confirm-signer.js";
import { peerOf } from "#web/kit/peer.js";
import type { ExchangeGuards } from "./exchange-guard.js";
import { sendEnding, type Ending } from "./pages.js";
import { trustedReturnUrl, type ReturnOptions } from "./return-url.js";
import type { BoundState, InstallStates, Purpose } from "./state.js";
import type { SignIn } from "#domain/contract/session-identity.js";

export interface FinishOptions extends ReturnOptions {
  oauthApi: OAuthApi;
  exchanges: ExchangeGuards;
  vault: Pick<Vault, "saveGrant">;
  states: InstallStates;
  sessions: Sessions;
  /** Asks HubSpot who the user is in the account now. */
  confirmSigner: ConfirmSigner;
  /** Notes in the account's audit who signed in, or was not let in. */
  recordSignIn: (signIn: SignIn) => Promise<void>;
  /** Told after a portal was connected again; wakes the directory sync. */
  onInstalled: (portalId: PortalId) => Promise<void>;
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
  const came = cameFrom(options.states, { request, state });
  if (came.kind === "refused") return sendEnding(response, came.ending);
  const exchange = await exchangeInTurn(options, came, { request, code });
  if (typeof exchange === "string") return sendEnding(response, exchange, came.purpose);
  if (exchange.kind === "code-refused") return sendEnding(response, "code-refused", came.purpose);
  const { grant } = exchange;
  const isThisBrowser = came.kind === "browser";
  const signer = await options.confirmSigner(grant, came.purpose);
  const saved = await connect(options, grant, { occasion: came.purpose, signer });
  const ending = endingOf(came, signer, saved);
  // An old answer gives no access: if HubSpot does not confirm the user, an install ends without a session.
  const isSignedIn = isThisBrowser && signer !== "unanswered" && ending === undefined;
  // Before the session exists: nobody gets in without an audit entry.
  if (saved.isKnown && isThisBrowser) {
    const isConnecting = came.purpose === "install" && saved.kind === "used";
    await options.recordSignIn({ by: grant, isOpen: isSignedIn, isConnecting });
  }
  if (ending !== undefined) return sendEnding(response, ending, came.purpose);
  if (isSignedIn) {
    options.sessions.open(request, response, { by: grant, signedInAt: saved.at });
    options.logger.info(
      { portalId: grant.portalId, userId: grant.userId },
      "a user signed in to the settings site",
    );
  }
  // HubSpot's page would say that the app is installed.
  const isConnected = saved.kind !== "not-connected";
  leave(options, { request, response, isSignedIn, mayReturn: isConnected });
}

/** How it ends without a session where that is not as it should be. */
function endingOf(
  { kind, purpose }: Origin,
  signer: SignerConfirmation,
  saved: SavedGrant,
): Ending | undefined {
  const isLeft = saved.kind === "not-connected";
  if (purpose === "sign-in" && !saved.isKnown) return "not-installed";
  if (signer === "unanswered" && (purpose === "sign-in" || isLeft)) return "hubspot-down";
  // Whoever is signed in is told by the settings site, which also names whom to ask.
  return isLeft && kind === "stranger" ? "admins-only" : undefined;
}

/** Who brought a code: the browser that we sent to HubSpot, or a stranger. */
interface Origin {
  readonly kind: "browser" | "stranger";
  readonly purpose: Purpose;
  /** To be used up before the code is exchanged. */
  readonly bound?: BoundState;
}

/**
 * A missing state is what a marketplace install without partner sign-in looks like (docs/hubspot.md §2.2): it may finish, but
 * it is tied to no browser, so it must not sign anybody in. A state that is there has to be right.
 */
function cameFrom(
  states: InstallStates,
  { request, state }: { request: Request; state: unknown },
): Origin | { kind: "refused"; ending: Ending } {
  if (state === undefined) return { kind: "stranger", purpose: "install" };
  if (typeof state !== "string") return { kind: "refused", ending: "forged" };
  const read = states.read(request, state);
  if (read.kind !== "bound") return { kind: "refused", ending: read.kind };
  return { kind: "browser", purpose: read.purpose, bound: read };
}

/** Asks HubSpot about the code, in turn with others of its kind. Without a place the state is not used up. */
async function exchangeInTurn(
  options: FinishOptions,
  { kind, bound }: Origin,
  { request, code }: { request: Request; code: string },
): Promise<CodeExchange | Ending> {
  const place = await options.exchanges[kind].enter(peerOf(request.socket.remoteAddress));
  // The same link is still good in a minute.
  if (place === undefined) return "busy";
  try {
    if (bound !== undefined && !(await options.states.useUp(bound))) return "reused";
    return await place.exchange(code);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    options.logger.error({ err: error }, "could not exchange an authorization code");
    return error.code === "APP_MISCONFIGURED" ? "misconfigured" : "hubspot-down";
  } finally {
    place.leave();
  }
}

async function connect(options: FinishOptions, grant: Grant, terms: GrantTerms): Promise<SavedGrant> {
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
  {
    request,
    response,
    isSignedIn,
    mayReturn,
  }: { request: Request; response: Response; isSignedIn: boolean; mayReturn: boolean },
): void {
  const returnUrl = mayReturn ? trustedReturnUrl(request.query["returnUrl"], options) : undefined;
  const ownPage = isSignedIn ? "/settings" : INSTALLED_PATH;
  response.set("Cache-Control", "no-store").redirect(303, returnUrl?.href ?? ownPage);
}
