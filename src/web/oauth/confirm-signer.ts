import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../errors.js";
import type { PortalGateway, User } from "#platform/hubspot/gateway.js";
import { HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { Grant } from "#platform/hubspot/oauth/oauth-api.js";
import { USER_LIST_SCOPE } from "#platform/hubspot/oauth/scopes.js";
import { createSiteGateways, type SiteGatewayOptions } from "#platform/hubspot/site-gateway.js";
import { createTransport, type OnAnswer } from "#platform/hubspot/transport.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import type { SignerConfirmation } from "#domain/vault/grant.js";
import type { Purpose } from "./state.js";

export interface ConfirmSignerOptions {
  readonly apiUrl: string;
  readonly onAnswer?: OnAnswer;
  /** A place in the portal's request window, as for all questions of the site. */
  readonly takePlace: SiteGatewayOptions["takePlace"];
  /** Asks with the account's own grant. */
  readonly gatewayOf: (portalId: PortalId) => Pick<PortalGateway, "readUser">;
  /** Writes what HubSpot said; undefined: the account has no such user. */
  readonly confirmUser: (confirmed: {
    portalId: PortalId;
    userId: UserId;
    found: User | undefined;
    isNewAccount: boolean;
  }) => Promise<void>;
}

/** @param purpose an install may be an account's first. */
export type ConfirmSigner = (grant: Grant, purpose: Purpose) => Promise<SignerConfirmation>;

/** For one question; a person waits. */
const TIMEOUT_MS = 3_000;
/** A busy account may have no place for the question at once. */
const TRIES = 4;
const PAUSE_MS = 500;

/**
 * Asks HubSpot about the user who has just signed in, before our copy of the user list decides anything: with their own
 * token or, if they left out the permission, with the account's own grant. So nobody can choose to be judged by an old
 * copy.
 */
export function createConfirmSigner(options: ConfirmSignerOptions): ConfirmSigner {
  return async function confirmSigner(grant, purpose) {
    const { portalId, userId, scopes } = grant;
    if (userId === null) return "unreadable";
    const own = scopes.includes(USER_LIST_SCOPE)
      ? await ask(gatewayWith(grant, options), userId)
      : "unreadable";
    const answer = own === "unreadable" ? await ask(options.gatewayOf(portalId), userId) : own;
    if (typeof answer === "string") return answer;
    await options.confirmUser({ portalId, userId, ...answer, isNewAccount: purpose === "install" });
    return "confirmed";
  };
}

/** Asks with the token that was just given. */
function gatewayWith(
  { portalId, accessToken }: Grant,
  { apiUrl, takePlace, onAnswer }: ConfirmSignerOptions,
): PortalGateway {
  const forPortal = createTransport({
    apiUrl,
    ...(onAnswer === undefined ? {} : { onAnswer }),
    accessTokenFor: () => Promise.resolve(accessToken),
    renewAfterRefusal: () =>
      Promise.reject(new HubSpotUnavailable("HubSpot refuses a token it has just given")),
  });
  return createSiteGateways({ forPortal, timeoutMs: TIMEOUT_MS, takePlace })(portalId);
}

type Answer = { found: User | undefined } | Exclude<SignerConfirmation, "confirmed">;

async function ask(gateway: Pick<PortalGateway, "readUser">, userId: UserId): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      const found = await gateway.readUser(userId);
      return found === undefined || found.id === userId ? { found } : "unanswered";
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (saysNo(error)) return "unreadable";
      if (tries === TRIES) return "unanswered";
      await sleep(PAUSE_MS);
    }
  }
}

/** HubSpot does not let this grant read users, or there is no grant: asking again changes nothing. */
function saysNo(error: AppError): boolean {
  return error instanceof HubSpotRejected || ["GRANT_REVOKED", "NOT_CONNECTED"].includes(error.code);
}
