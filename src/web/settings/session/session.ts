import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import type { Request, Response } from "express";
import jwt from "jsonwebtoken";
import { z } from "zod";
import type { Cookies } from "#web/kit/cookies.js";
import type { SessionIdentity } from "#domain/contract/session-identity.js";

export interface Session extends SessionIdentity {
  /** Same from sign-in to sign-out; form tokens are bound to it. */
  id: string;
  signedInAt: Date;
}

/** Sessions live in a signed cookie, so they survive restarts and need no store (docs/decisions/009). */
export interface Sessions {
  /** @param signedInAt by the database's clock, which the portal's own times are of. */
  open(response: Response, identity: SessionIdentity, signedInAt: Date): void;
  /** Undefined if there is none, or it is expired, or not ours. */
  read(request: Request): Session | undefined;
  /** Starts the idle time again; called for what a person does, not for what a page does by itself. */
  renew(response: Response, session: Session): void;
  close(response: Response): void;
  /** Token that a form of this session has to bring back. */
  formToken(session: Session): string;
  isFormToken(session: Session, given: unknown): boolean;
  /** Proves that a text was this session's. */
  sign(session: Session, text: string): string;
}

const COOKIE = "session";
const ISSUER = "sequence-enroller";
const AUDIENCE = "settings-session";
const ALGORITHM = "HS256";
const IDLE_SECONDS = 8 * 3600;
/** However busy, a session ends after a week: HubSpot is then asked again who this is. */
const LONGEST_SECONDS = 7 * 24 * 3600;

export const latestEndOf = ({ signedInAt }: Pick<Session, "signedInAt">): Date =>
  new Date(signedInAt.getTime() + LONGEST_SECONDS * 1000);

const digits = z.string().regex(/^\d{1,19}$/);
const claims = z.object({
  jti: z.string().min(1),
  portal: digits,
  user: digits.nullable(),
  email: z.string().nullable(),
  start: z.number().int(),
});

export interface SessionOptions {
  secret: string;
  cookies: Cookies;
  now: () => Date;
}

export function createSessions({ secret, cookies, now }: SessionOptions): Sessions {
  const nowSeconds = () => Math.floor(now().getTime() / 1000);

  function write(response: Response, session: Session): void {
    const start = Math.floor(session.signedInAt.getTime() / 1000);
    const expiresAt = Math.min(nowSeconds() + IDLE_SECONDS, start + LONGEST_SECONDS);
    const payload = {
      portal: session.portalId.toString(),
      user: session.userId?.toString() ?? null,
      email: session.userEmail,
      start,
      iat: nowSeconds(),
      exp: expiresAt,
    };
    const options = { algorithm: ALGORITHM, audience: AUDIENCE, issuer: ISSUER, jwtid: session.id } as const;
    const value = jwt.sign(payload, secret, options);
    cookies.set(response, { name: COOKIE, value, maxAgeSeconds: Math.max(0, expiresAt - nowSeconds()) });
  }

  const formToken = (session: Session) =>
    createHmac("sha256", secret).update(`form:${session.id}`).digest("base64url");

  return {
    open: (response, identity, signedInAt) => write(response, { ...identity, id: randomUUID(), signedInAt }),
    read: (request) => verify(cookies.read(request, COOKIE), { secret, nowSeconds: nowSeconds() }),
    renew: write,
    close: (response) => cookies.clear(response, COOKIE),
    formToken,
    sign: (session, text) =>
      createHmac("sha256", secret).update(`text:${session.id}:${text}`).digest("base64url"),
    isFormToken: (session, given) => typeof given === "string" && isSame(given, formToken(session)),
  };
}

function verify(
  token: string | undefined,
  { secret, nowSeconds }: { secret: string; nowSeconds: number },
): Session | undefined {
  if (token === undefined) return undefined;
  try {
    const decoded = jwt.verify(token, secret, {
      algorithms: [ALGORITHM],
      audience: AUDIENCE,
      issuer: ISSUER,
      clockTimestamp: nowSeconds,
    });
    const { jti, portal, user, email, start } = claims.parse(decoded);
    return {
      id: jti,
      portalId: BigInt(portal),
      userId: user === null ? null : BigInt(user),
      userEmail: email,
      signedInAt: new Date(start * 1000),
    };
  } catch {
    return undefined;
  }
}

/** Compared as digests, so that neither length nor content shows in the time it takes. */
function isSame(left: string, right: string): boolean {
  const digest = (text: string) => createHmac("sha256", "compare").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
