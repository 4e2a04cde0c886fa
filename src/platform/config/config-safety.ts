import { createHash } from "node:crypto";
import { isUnverifiedMail, readKey } from "./config-values.js";
import { generatedSecret, SecretUnavailable } from "./generated-secrets.js";
import { isLoopbackHost } from "./loopback.js";

/** The environment without blanks: `NAME=` in an env file means unset. */
export type Env = Readonly<Record<string, string>>;

/**
 * Which kind of installation the environment describes. Development has to be requested, by name or by a `PUBLIC_URL`
 * on this machine (its default counts if nothing else is said; the app then listens on this machine alone); everything
 * else is production, especially a misspelled `NODE_ENV`.
 */
export interface Setting {
  readonly isProduction: boolean;
  /** `PUBLIC_URL` points to this machine: only its own user can reach it. */
  readonly isLocal: boolean;
}

/** Whether a URL is of this machine; undefined if it is not a URL, which the schema reports. */
function isLoopbackUrl(url: string): boolean | undefined {
  return URL.canParse(url) ? isLoopbackHost(new URL(url).hostname) : undefined;
}

const isHttp = (url: string | undefined): url is string => /^http:/i.test(url ?? "");

export function settingOf({ NODE_ENV: name, PUBLIC_URL: url, HOST: host }: Env): Setting {
  const isLocal = url === undefined || isLoopbackUrl(url) === true;
  const isSilent = name === undefined && (host === undefined || isLoopbackHost(host));
  const isAskedFor = isLocal && name !== "production" && (url !== undefined || isSilent);
  return { isProduction: name !== "development" && !isAskedFor, isLocal };
}

const MAKE_KEY = `Make one with: node -p "'k1:' + require('crypto').randomBytes(32).toString('base64')"`;
const MAKE_SECRET = `Make one with: node -p "require('crypto').randomBytes(32).toString('base64')"`;

/** Everything that would not be safe if others can reach the app, each as `NAME: what to do`. */
export function safetyProblems(env: Env, setting: Setting): string[] {
  return [...publicUrlProblems(env, setting), ...hubspotUrlProblems(env), ...secretProblems(env, setting)];
}

function publicUrlProblems({ PUBLIC_URL: url }: Env, { isProduction, isLocal }: Setting): string[] {
  if (!isProduction || isLocal || !isHttp(url)) return [];
  return [
    "PUBLIC_URL: must begin with https://. http is only for this machine itself, or for NODE_ENV=development.",
  ];
}

/**
 * Requests to this machine itself cross no network: they reach a simulated HubSpot, or the operator's own proxy that
 * adds TLS.
 */
function hubspotUrlProblems(env: Env): string[] {
  return ["HUBSPOT_API_URL", "HUBSPOT_APP_URL", "CLOSE_API_URL"]
    .filter((name) => isHttp(env[name]) && isLoopbackUrl(env[name]) === false)
    .map(
      (name) =>
        `${name}: must begin with https://. http is only for a stand-in of ${name.startsWith("CLOSE") ? "Close" : "HubSpot"} on this machine.`,
    );
}

/** On a personal machine a session secret may be a phrase; in characters. */
const LEAST_LOCAL_SECRET = 16;

/** Sessions and seals are only as safe as their secrets. */
function secretProblems(env: Env, { isProduction, isLocal }: Setting): string[] {
  const { SESSION_SECRET: session, ENCRYPTION_KEYS: keys = "" } = env;
  if (!isProduction && isLocal) {
    const isTooShort = session !== undefined && session.length < LEAST_LOCAL_SECRET;
    return isTooShort ? [`SESSION_SECRET: must be at least ${LEAST_LOCAL_SECRET} characters.`] : [];
  }
  // If the form is wrong, the text in the id's place may be a key.
  const read = keys.split(",").flatMap((entry) => readKey(entry) ?? []);
  const weak = read.filter(({ key }) => !looksRandom(key.toString("latin1")));
  return [
    ...(session === undefined || sessionSecretsIn(session).every(isStrongSecret)
      ? []
      : [
          `SESSION_SECRET: must hold at least 32 random bytes: whoever guesses it signs in as anybody. ${MAKE_SECRET}`,
        ]),
    ...weak.map(({ id }) => `ENCRYPTION_KEYS: the key ${id} is not random. ${MAKE_KEY}`),
  ];
}

const LEAST_BYTES = 32;
/** Far below what 32 random bytes reach in any encoding, and above what a few repeated characters reach. */
const LEAST_SPREAD_BITS = 120;

/**
 * False for a secret that was plainly typed: a few characters repeated, a repeated block, or characters in sequence.
 */
function looksRandom(text: string): boolean {
  // With a period of at most half its length; the last repetition may be cut off.
  const isPeriodic = [...text.slice(0, text.length / 2)].some((_, at) => text.startsWith(text.slice(at + 1)));
  const steps = [...text].map((character, index) => character.charCodeAt(0) - text.charCodeAt(index - 1));
  const isInOrder = Math.max(...countEach(steps).values()) > text.length / 2;
  return !isPeriodic && !isInOrder && spreadBits(text) >= LEAST_SPREAD_BITS;
}

function countEach<Value>(values: Iterable<Value>): Map<Value, number> {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Shannon's entropy of the characters, by how often each occurs, over the whole text. */
function spreadBits(text: string): number {
  return [...countEach(text).values()].reduce(
    (bits, count) => bits - count * Math.log2(count / text.length),
    0,
  );
}

/** Whether a text can hold 32 random bytes, going by the widest alphabet it may be written in. */
function isStrongSecret(text: string): boolean {
  const bare = text.replace(/={1,2}$/, "");
  const bytes = /^[\da-f]*$/i.test(bare)
    ? bare.length / 2
    : /^[\w+/-]*$/.test(bare)
      ? (bare.length * 6) / 8
      : Buffer.byteLength(bare);
  return bytes >= LEAST_BYTES && looksRandom(bare) && !STANDS_IN.test(bare);
}

/**
 * The secrets of `SESSION_SECRET`: one, or two strong ones joined by a comma while one of them takes the other's place. A
 * phrase may hold commas of its own.
 */
export function sessionSecretsIn(text: string): [string, ...string[]] {
  const [first = "", second = "", ...others] = text.split(",").map((secret) => secret.trim());
  const isPair = others.length === 0 && isStrongSecret(first) && isStrongSecret(second);
  return isPair ? [first, second] : [text];
}

/** Words of published examples: no 32 random bytes spell one. */
const STANDS_IN =
  /change.?(?:me|this)|replace.?(?:me|this)|passw(?:or)?d|secret|example|placeholder|session|production|qwerty/i;

/** What was generated on this machine because it was not configured, and what to say about it. */
interface Generated {
  readonly made: Env;
  readonly problems: readonly string[];
  /** Variables whose absence one of the problems explains. */
  readonly explained: readonly string[];
}

/**
 * Development with its own database needs no secrets: they are generated once, next to that database. With a
 * `DATABASE_URL` they never are: the accounts' tokens would be sealed with a key that is lost with this machine's disk.
 */
export function generateSecrets(env: Env, { isProduction }: Setting): Generated {
  const missing = ["ENCRYPTION_KEYS", "SESSION_SECRET"].filter((name) => env[name] === undefined);
  const isMade = !isProduction && env["DATABASE_URL"] === undefined;
  if (missing.length === 0) return { made: {}, problems: [], explained: [] };
  if (!isMade) return { made: {}, problems: missing.map(absenceOf(isProduction)), explained: missing };
  try {
    const dataDir = env["DATA_DIR"] ?? ".data";
    const made = Object.fromEntries(missing.map((name) => [name, MAKERS[name]?.(dataDir) ?? ""]));
    return { made, problems: [], explained: [] };
  } catch (error) {
    if (!(error instanceof SecretUnavailable)) throw error;
    return { made: {}, problems: [`DATA_DIR: ${error.message}`], explained: missing };
  }
}

const MAKERS: Readonly<Record<string, (dataDir: string) => string>> = {
  SESSION_SECRET: (dataDir) => generatedSecret(dataDir, "session"),
  ENCRYPTION_KEYS: (dataDir) => {
    const key = generatedSecret(dataDir, "encryption-key");
    // Two keys never share an id. Tokens sealed when all keys were called "dev" still open.
    const id = `dev-${createHash("sha256").update(key).digest("hex").slice(0, 12)}`;
    return `${id}:${key},dev:${key}`;
  },
};

function absenceOf(isProduction: boolean): (name: string) => string {
  const why = isProduction
    ? "is required in production."
    : "is required beside a DATABASE_URL: one made here would be lost with this machine's disk.";
  return (name) => `${name}: ${why} ${name === "ENCRYPTION_KEYS" ? MAKE_KEY : MAKE_SECRET}`;
}

/** What the operator should know about a usable configuration, as sentences for the log. */
export function safetyWarnings(env: Env, { isProduction, isLocal }: Setting): string[] {
  const { NODE_ENV: name, PRIVATE_DESTINATIONS: destinations } = env;
  const isKnown = name === undefined || name === "production" || name === "development";
  const isMade = env["ENCRYPTION_KEYS"] === undefined;
  const standIns = ["HUBSPOT_API_URL", "HUBSPOT_APP_URL", "CLOSE_API_URL"].filter((variable) =>
    isHttp(env[variable]),
  );
  const isUnverified = isUnverifiedMail(env["SMTP_URL"] ?? "");
  const warnings: readonly (readonly [boolean, string])[] = [
    [!isKnown, `NODE_ENV is "${name}", which is not a mode of this app: it runs as in production`],
    [!isProduction, "this is a development setup; do not connect customers' accounts to it"],
    [isProduction && isLocal, "PUBLIC_URL is of this machine: HubSpot cannot reach the app"],
    [isMade, "tokens are sealed with a key made under DATA_DIR; whoever loses that folder loses them"],
    [standIns.length > 0, `requests go to a stand-in of HubSpot in clear (${standIns.join(", ")})`],
    [destinations !== undefined, `alerts may be posted into the private network: ${destinations}`],
    [isUnverified, "SMTP_URL turns off the check of the mail server's certificate"],
  ];
  return warnings.flatMap(([holds, warning]) => (holds ? [warning] : []));
}
