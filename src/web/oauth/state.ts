import { createHash, createSecretKey, randomBytes, randomUUID, type KeyObject } from "node:crypto";
import type { Request, Response } from "express";
import jwt from "jsonwebtoken";
import type { Pool } from "pg";
import { z } from "zod";
import { redeemState } from "#domain/accounts/redeemed-states.js";
import type { Cookies } from "#web/kit/cookies.js";

/** Why a browser was sent to HubSpot: to install the app, or only to say who its user is. */
export type Purpose = "install" | "sign-in";

/** One of our states that belongs to this browser; whether it was used before is not known yet. */
export interface BoundState {
  readonly kind: "bound";
  readonly purpose: Purpose;
  readonly nonce: string;
  readonly expiresAt: Date;
}

export type StateReading =
  | BoundState
  | { kind: "forged" } // not ours, altered, or for something else
  | { kind: "expired" }
  | { kind: "wrong-browser" }; // a link passed on, or an attempt to sign somebody in as somebody else

/** The `state` of an OAuth round trip: signed, ten minutes, for the browser it was minted for, good once. */
export interface InstallStates {
  /** Mints a state and makes sure the browser holds the cookie it is bound to. */
  mint(exchange: { request: Request; response: Response; purpose: Purpose }): string;
  /** Checks a state without using it up. */
  read(request: Request, state: string): StateReading;
  /** @returns false if it was used up before. */
  useUp(state: BoundState): Promise<boolean>;
}

const COOKIE = "oauth_browser";
const ISSUER = "sequence-enroller";
const AUDIENCE = "oauth-state";
const ALGORITHM = "HS256";
const LIFETIME_SECONDS = 600;

const claims = z.object({
  jti: z.string().min(1),
  exp: z.number(),
  purpose: z.enum(["install", "sign-in"]),
  browser: z.string().min(1),
});
type Claims = z.infer<typeof claims>;

export interface StateOptions {
  /** The first one signs; all of them are accepted, so that one can be replaced while an install is under way. */
  secrets: readonly [string, ...string[]];
  database: { pool: Pool };
  cookies: Cookies;
  now: () => Date;
}

export function createInstallStates({ secrets, database, cookies, now }: StateOptions): InstallStates {
  // As keys: a text would be tried as a certificate first, for each state.
  const keys = secrets.map((text) => createSecretKey(text, "utf8")) as [KeyObject, ...KeyObject[]];
  const [secret] = keys;
  const nowSeconds = () => Math.floor(now().getTime() / 1000);
  return {
    mint({ request, response, purpose }) {
      // A browser keeps its value, so that two round trips begun side by side can both end.
      const known = cookies.read(request, COOKIE);
      const browser =
        known !== undefined && /^[\w-]{43}$/.test(known) ? known : randomBytes(32).toString("base64url");
      cookies.set(response, { name: COOKIE, value: browser, maxAgeSeconds: LIFETIME_SECONDS });
      const iat = nowSeconds();
      return jwt.sign({ purpose, browser: hash(browser), iat, exp: iat + LIFETIME_SECONDS }, secret, {
        algorithm: ALGORITHM,
        audience: AUDIENCE,
        issuer: ISSUER,
        jwtid: randomUUID(),
      });
    },
    read(request, state) {
      const verified = verifyByAny(state, { keys, nowSeconds: nowSeconds() });
      if (typeof verified === "string") return { kind: verified };
      const browser = cookies.read(request, COOKIE);
      if (browser === undefined || hash(browser) !== verified.browser) return { kind: "wrong-browser" };
      const { jti: nonce, exp, purpose } = verified;
      return { kind: "bound", purpose, nonce, expiresAt: new Date(exp * 1000) };
    },
    useUp: ({ nonce, expiresAt }) => redeemState(database.pool, { nonce, expiresAt, now: now() }),
  };
}

function verifyByAny(
  state: string,
  { keys, nowSeconds }: { keys: readonly KeyObject[]; nowSeconds: number },
): Claims | "forged" | "expired" {
  for (const secret of keys) {
    const verified = verify(state, { secret, nowSeconds });
    if (verified !== "forged") return verified;
  }
  return "forged";
}

function verify(
  state: string,
  { secret, nowSeconds }: { secret: KeyObject; nowSeconds: number },
): Claims | "forged" | "expired" {
  try {
    return claims.parse(
      jwt.verify(state, secret, {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        issuer: ISSUER,
        clockTimestamp: nowSeconds,
      }),
    );
  } catch (error) {
    return error instanceof jwt.TokenExpiredError ? "expired" : "forged";
  }
}

function hash(browser: string): string {
  return createHash("sha256").update(browser).digest("base64url");
}
