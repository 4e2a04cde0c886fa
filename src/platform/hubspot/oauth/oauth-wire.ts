import { z } from "zod";
import { readErrorBody } from "../wire/error-body.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotUnavailable,
  isPassingStatus,
  type HubSpotError,
} from "../errors.js";

/**
 * HubSpot's tokens live for half an hour. A longer lifetime is not trusted: the token would never be renewed in time.
 */
const LONGEST_TOKEN_SECONDS = 24 * 3_600;
/** The lifetime of a token if HubSpot names no plausible one. */
const USUAL_TOKEN_SECONDS = 1_800;

/** As a number, or in digits. */
const figure = z.union([z.number(), z.string().regex(/^\d{1,15}$/)]).transform(Number);
/** Each of these counts as missing if it has another type. */
const idGiven = figure.pipe(z.number().int().positive()).optional().catch(undefined);
const textGiven = z.string().min(1).optional().catch(undefined);
const scopesGiven = z.array(z.string()).optional().catch(undefined);

/**
 * Answer of the token endpoint; only the access token is required. A refresh may have ended the old token: rejecting an
 * answer for a field nobody uses would cost the portal its connection.
 */
export const tokenAnswer = z.object({
  access_token: z.string().min(1),
  refresh_token: textGiven,
  expires_in: figure
    .pipe(z.number().positive())
    .catch(USUAL_TOKEN_SECONDS)
    .transform((seconds) => Math.min(seconds, LONGEST_TOKEN_SECONDS)),
  hub_id: idGiven,
  user_id: idGiven,
  scopes: scopesGiven,
});

/** Answer of introspection; a dead token gives `active: false` and nothing else (docs/hubspot.md §2.4). */
export const introspectionAnswer = z.object({
  active: z.boolean(),
  hub_id: idGiven,
  user_id: idGiven,
  user: textGiven,
  hub_domain: textGiven,
  scopes: scopesGiven,
  /** Nothing depends on it: an odd value counts as none. */
  app_id: z
    .union([z.number().int().positive(), z.string().regex(/^\d{1,18}$/)])
    .transform(String)
    .optional()
    .catch(undefined),
});

/** An answer as the transport saw it; `httpStatus` is undefined if none came. */
export interface RawAnswer {
  httpStatus: number | undefined;
  body: unknown;
  /** What went wrong, without secrets. */
  problem?: string;
  /** `Retry-After` in ms, if HubSpot named one. */
  retryAfterMs?: number | undefined;
}

/** What a refusal of the OAuth endpoints means for us (docs/hubspot.md §2.6). */
export type OAuthRefusal =
  | { kind: "unavailable"; detail: string; retryAfterMs?: number | undefined } // try again later, keep the old tokens
  | { kind: "secret-refused"; detail: string } // another secret may be the right one during a rotation
  | { kind: "misconfigured"; detail: string } // our own settings: alert the operator, never disconnect a portal
  | { kind: "code-refused"; detail: string } // authorization code unknown, used or too old
  | { kind: "revoked"; detail: string }; // the portal withdrew its grant

/** HubSpot names the refusal in at least one of these; an answer without any is not HubSpot's. */
const refusalBody = z.object({
  status: z.string().optional().catch(undefined),
  error: z.string().optional().catch(undefined),
  errorType: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
});
/** The statuses HubSpot's own refusals have. Others come from a proxy in between. */
const OWN_STATUSES: readonly (number | undefined)[] = [400, 401];
/** Others may repeat the request, which had our secret and a grant in it; both have digits. */
const NAME_OF_ERROR = /^[a-z][a-z_.-]{2,60}$/i;
/** A refused authorization code costs nobody a connection, so matching words is enough. */
const ABOUT_THE_CODE = /auth(?:orization)?[ _-]?code/i;

/**
 * HubSpot's own `status` values are the finer ones; the RFC 6749 `error` decides if there is none. Compared in
 * capitals.
 */
const MEANING: Readonly<Record<string, OAuthRefusal["kind"]>> = {
  BAD_CLIENT_ID: "secret-refused",
  BAD_CLIENT_SECRET: "secret-refused",
  BAD_REDIRECT_URI: "misconfigured",
  BAD_AUTH_CODE: "code-refused",
  EXPIRED_AUTH_CODE: "code-refused",
  BAD_REFRESH_TOKEN: "revoked",
  BAD_HUB: "revoked",
  INVALID_CLIENT: "secret-refused",
  INVALID_GRANT: "revoked",
  ACCESS_DENIED: "revoked",
};

/**
 * Classifies the refusals. Only a refusal that is known to mean "revoked" does, since that costs a portal its
 * connection. An answer that is not in HubSpot's form blames nobody: a firewall's page says nothing about our
 * credentials.
 */
export function classifyRefusal({ httpStatus, body, problem, retryAfterMs }: RawAnswer): OAuthRefusal {
  const { message, status, errorType, error } = refusalBody.safeParse(body).data ?? {};
  const { codes, category } = readErrorBody(body);
  // Nested errors count only inside HubSpot's own refusals: proxies have errors of their own.
  const inner = OWN_STATUSES.includes(httpStatus) ? [...codes, category] : [];
  const names = [status, errorType, error, ...inner].filter((name) => name !== undefined);
  const shown = names.find((name) => NAME_OF_ERROR.test(name));
  const detail = `${httpStatus ?? "no answer"} ${shown ?? problem ?? ""}`.trim();
  const unavailable: OAuthRefusal = { kind: "unavailable", detail, retryAfterMs };
  if (httpStatus === undefined || httpStatus === 429 || isPassingStatus(httpStatus)) return unavailable;
  const known = names.map((name) => name.toUpperCase()).find((name) => Object.hasOwn(MEANING, name));
  if (known !== undefined) return { kind: MEANING[known] ?? "misconfigured", detail };
  const words = message === undefined ? names : [...names, message];
  if (words.length === 0 || !OWN_STATUSES.includes(httpStatus)) return unavailable;
  return { kind: words.some((text) => ABOUT_THE_CODE.test(text)) ? "code-refused" : "misconfigured", detail };
}

export function toError(refusal: OAuthRefusal): HubSpotError {
  const { kind, detail } = refusal;
  switch (kind) {
    case "unavailable":
      return new HubSpotUnavailable(`HubSpot's OAuth service gave ${detail}`, {
        retryAfterMs: refusal.retryAfterMs,
      });
    case "secret-refused":
    case "misconfigured":
      return new AppMisconfigured(`HubSpot refuses this app's own credentials or settings: ${detail}`);
    case "code-refused":
    case "revoked":
      return new GrantRevoked(`HubSpot does not accept the grant: ${detail}`);
  }
}
