import { createHmac, createSecretKey, randomUUID, timingSafeEqual, type KeyObject } from "node:crypto";
import type { Request, Response } from "express";
import jwt from "jsonwebtoken";
import { z } from "zod";
import type { Cookies } from "#web/kit/cookies.js";
import type { SessionIdentity } from "#domain/contract/session-identity.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** A sign-in of a browser to one account. */
export interface Session extends SessionIdentity {
  /** Same from sign-in to sign-out; form tokens are bound to it, so a form of one account is none of another's. */
  id: string;
  signedInAt: Date;
}

/** All accounts that a browser's sign-ins proved, each by HubSpot's word of the same person. */
export interface SignedIn {
  readonly current: Session;
  readonly others: readonly Session[];
}

/** Sessions live in a signed cookie, so they survive restarts and need no store (docs/decisions/009). */
export interface Sessions {
  /**
   * Signs in to an account. Accounts that the same person is signed in to in this browser stay, so that they can switch;
   * those of another person, or of somebody whose address HubSpot does not tell, do not.
   *
   * @param signedInAt by the database's clock, which the portal's own times are of.
   */
  open(request: Request, response: Response, signIn: { by: SessionIdentity; signedInAt: Date }): void;
  /** The account in use. Undefined if there is none, or it is expired, or not ours. */
  read(request: Request): Session | undefined;
  /** The same with the other accounts. */
  readAll(request: Request): SignedIn | undefined;
  /** Goes on with another of the accounts that the browser is signed in to; false if it is not signed in to that. */
  switchTo(request: Request, response: Response, portalId: PortalId): boolean;
  /** Starts the idle time again; called for what a person does, not for what a page does by itself. */
  renew(request: Request, response: Response): void;
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

/** As many as fit into a cookie beside the others. */
const MOST_ACCOUNTS = 20;

const digits = z.string().regex(/^\d{1,19}$/);
const claims = z.object({
  jti: z.string().min(1),
  portal: digits,
  user: digits.nullable(),
  email: z.string().nullable(),
  start: z.number().int(),
  /** Of the same person: session id, portal, user, start. */
  others: z.array(z.tuple([z.string().min(1), digits, digits.nullable(), z.number().int()])).default([]),
});

export interface SessionOptions {
  /** The first one signs; all of them are accepted, so that one can be replaced without ending a session. */
  secrets: readonly [string, ...string[]];
  cookies: Cookies;
  now: () => Date;
}

export function createSessions({ secrets, cookies, now }: SessionOptions): Sessions {
  // As keys: a text would be tried as a certificate first, for each request.
  const keys = secrets.map((text) => createSecretKey(text, "utf8")) as [KeyObject, ...KeyObject[]];
  const [secret] = keys;
  const nowSeconds = () => Math.floor(now().getTime() / 1000);
  const readAll = (request: Request): SignedIn | undefined => {
    const token = cookies.read(request, COOKIE);
    for (const key of keys) {
      const signedIn = verify(token, { secret: key, nowSeconds: nowSeconds() });
      if (signedIn !== undefined) return signedIn;
    }
    return undefined;
  };

  function write(response: Response, { current, others }: SignedIn): void {
    const expiresAt = Math.min(nowSeconds() + IDLE_SECONDS, startOf(current) + LONGEST_SECONDS);
    const payload = {
      portal: current.portalId.toString(),
      user: current.userId?.toString() ?? null,
      email: current.userEmail,
      start: startOf(current),
      others: others.map((one) => [
        one.id,
        String(one.portalId),
        one.userId?.toString() ?? null,
        startOf(one),
      ]),
      iat: nowSeconds(),
      exp: expiresAt,
    };
    const options = { algorithm: ALGORITHM, audience: AUDIENCE, issuer: ISSUER, jwtid: current.id } as const;
    const value = jwt.sign(payload, secret, options);
    cookies.set(response, { name: COOKIE, value, maxAgeSeconds: Math.max(0, expiresAt - nowSeconds()) });
  }

  const formToken = (session: Session, key = secret) =>
    createHmac("sha256", key).update(`form:${session.id}`).digest("base64url");

  return {
    open: (request, response, { by, signedInAt }) => {
      const current = { ...by, id: randomUUID(), signedInAt };
      write(response, { current, others: keptBeside(current, readAll(request)) });
    },
    read: (request) => readAll(request)?.current,
    readAll,
    switchTo: (request, response, portalId) => {
      const signedIn = readAll(request);
      const chosen = signedIn?.others.find((one) => one.portalId === portalId);
      if (signedIn === undefined || chosen === undefined) return false;
      write(response, { current: chosen, others: keptBeside(chosen, signedIn) });
      return true;
    },
    renew: (request, response) => {
      const signedIn = readAll(request);
      if (signedIn !== undefined) write(response, signedIn);
    },
    close: (response) => cookies.clear(response, COOKIE),
    formToken: (session) => formToken(session),
    sign: (session, text) =>
      createHmac("sha256", secret).update(`text:${session.id}:${text}`).digest("base64url"),
    isFormToken: (session, given) =>
      typeof given === "string" && keys.some((key) => isSame(given, formToken(session, key))),
  };
}

const startOf = ({ signedInAt }: Session): number => Math.floor(signedInAt.getTime() / 1000);

/** The accounts that stay: the same person's, the newest, each once. */
function keptBeside(current: Session, signedIn: SignedIn | undefined): Session[] {
  if (signedIn === undefined || !isSamePerson(current, signedIn.current)) return [];
  return [signedIn.current, ...signedIn.others]
    .filter(({ portalId }) => portalId !== current.portalId)
    .slice(0, MOST_ACCOUNTS - 1);
}

/** HubSpot knows a person by the address they sign in with, in whatever account. Without one nobody is anybody else. */
function isSamePerson({ userEmail: one }: SessionIdentity, { userEmail: other }: SessionIdentity): boolean {
  return one !== null && other !== null && one.toLowerCase() === other.toLowerCase();
}

function verify(
  token: string | undefined,
  { secret, nowSeconds }: { secret: KeyObject; nowSeconds: number },
): SignedIn | undefined {
  if (token === undefined) return undefined;
  try {
    const decoded = jwt.verify(token, secret, {
      algorithms: [ALGORITHM],
      audience: AUDIENCE,
      issuer: ISSUER,
      clockTimestamp: nowSeconds,
    });
    const { jti, portal, user, email, start, others } = claims.parse(decoded);
    const session = (id: string, at: { portal: string; user: string | null; start: number }): Session => ({
      id,
      portalId: BigInt(at.portal),
      userId: at.user === null ? null : BigInt(at.user),
      userEmail: email,
      signedInAt: new Date(at.start * 1000),
    });
    return {
      current: session(jti, { portal, user, start }),
      others: others
        .filter(([, , , began]) => began + LONGEST_SECONDS > nowSeconds)
        .map(([id, ...at]) => session(id, { portal: at[0], user: at[1], start: at[2] })),
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
