import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { AppError } from "./errors.js";

/** Every setting is wrong in some way; the message lists all problems at once, one a line. */
export class ConfigError extends AppError {
  override readonly code = "CONFIG_INVALID";
}

/** What this process does: answer HTTP, drain portals, or both. */
export type Role = "all" | "web" | "worker";

/** One AES-256 key. `id` is stored beside each ciphertext so that old data stays readable after a rotation. */
export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

export interface Config {
  readonly isProduction: boolean;
  readonly role: Role;
  readonly port: number;
  readonly host: string;
  /** Origin HubSpot sees, in lower case and without a trailing slash. Signatures are checked against it, never against `Host`. */
  readonly publicUrl: string;
  /** Unset: an embedded PostgreSQL server under `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly hubspot: {
    readonly clientId: string;
    /** The current secret first; a second one only while it is being rotated. */
    readonly clientSecrets: readonly [string, ...string[]];
    readonly appId: string;
    readonly apiUrl: string;
    readonly appUrl: string;
    /** Requests per 10 s per portal that we allow ourselves. */
    readonly rateLimit: number;
  };
  readonly encryptionKeys: readonly [EncryptionKey, ...EncryptionKey[]];
  readonly sessionSecret: string;
  readonly logLevel: string;
  readonly metricsToken: string | undefined;
  /** Where alerts are mailed from; undefined: they are not. */
  readonly mail: { readonly smtpUrl: string; readonly from: string } | undefined;
  /** An execution not finished after this many hours is completed as failed. */
  readonly executionDeadlineHours: number;
}

/** HubSpot lets a held execution expire after the P7D we ask for; our own deadline has to come first. */
const HOLD_HOURS = 7 * 24;

/** In production. Half the length of what it keys (HMAC-SHA-256): a random one of 16 characters is beyond guessing, a shorter one is a word. */
const LEAST_SESSION_SECRET = 16;

const origin = z
  .string()
  .transform((value) => value.replace(/\/{1,8}$/, ""))
  .refine(
    (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    "must be an http(s) URL",
  );

const BARE_ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\]+$/i;

/**
 * Signatures cover the whole URL that HubSpot called, so a path here would make every one of them wrong. It is normalised
 * to an origin as URLs spell it: scheme and host in lower case, no default port, no trailing slash. HubSpot signs the URL
 * that the app's configuration gives it, so that one has to be written in this spelling too.
 */
const publicOrigin = origin
  .refine(
    (value) => !URL.canParse(value) || BARE_ORIGIN.test(value),
    "must be an origin without a path, such as https://app.example.com",
  )
  .transform((value) => new URL(value).origin);

const encryptionKeys = z.string().transform((text, context) => {
  const keys = text.split(",").map((entry): EncryptionKey => {
    const [id = "", encoded = ""] = entry.trim().split(":");
    const key = Buffer.from(encoded, "base64");
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id) || key.length !== 32) {
      context.addIssue({ code: "custom", message: "must be id:base64(32 bytes)[,id:base64(32 bytes)…]" });
    }
    return { id, key };
  });
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    context.addIssue({ code: "custom", message: "uses one key id twice" });
  }
  return keys as [EncryptionKey, ...EncryptionKey[]];
});

const clientSecrets = z.string().transform((text, context) => {
  const secrets = text
    .split(",")
    .map((secret) => secret.trim())
    .filter((secret) => secret !== "");
  if (secrets.length < 1 || secrets.length > 2) {
    context.addIssue({
      code: "custom",
      message: "must hold one secret, or the new and the old one joined by a comma",
    });
  }
  return secrets as [string, ...string[]];
});

const smtpUrl = z
  .string()
  .refine(
    (value) =>
      URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol) && new URL(value).hostname !== "",
    "must look like smtp://user:password@host:587 or smtps://user:password@host:465",
  );

/** `ops@example.com`, or with a name: `Sequence Enroller <ops@example.com>`. */
const mailFrom = z
  .string()
  .refine(
    (value) => z.email().safeParse(/^[^<>\r\n]*<([^<>]+)>$/.exec(value)?.[1] ?? value).success,
    "must be an address, or a name and the address in <>",
  );

const environment = z.object({
  NODE_ENV: z.string().optional(),
  ROLE: z.enum(["all", "web", "worker"]).default("all"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().optional(),
  PUBLIC_URL: publicOrigin.optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a postgresql:// URL")
    .optional(),
  DATA_DIR: z.string().default(".data"),
  HUBSPOT_CLIENT_ID: z.string().min(1),
  HUBSPOT_CLIENT_SECRET: clientSecrets,
  HUBSPOT_APP_ID: z.string().min(1),
  HUBSPOT_API_URL: origin.default("https://api.hubapi.com"),
  HUBSPOT_APP_URL: origin.default("https://app.hubspot.com"),
  HUBSPOT_RATE_LIMIT: z.coerce.number().int().min(1).max(1000).default(110),
  ENCRYPTION_KEYS: encryptionKeys,
  SESSION_SECRET: z.string(),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  METRICS_TOKEN: z.string().min(1).optional(),
  SMTP_URL: smtpUrl.optional(),
  MAIL_FROM: mailFrom.optional(),
  EXECUTION_DEADLINE_HOURS: z.coerce
    .number()
    .positive()
    .max(HOLD_HOURS - 1, `must leave an hour before HubSpot's own expiry (${HOLD_HOURS} h)`)
    .default(144),
});

/** @public Names of every variable, for the check against `.env.example`. */
export const environmentVariables: readonly string[] = Object.keys(environment.shape);

/** A generated secret can be neither read nor made; the message is for the operator. */
class SecretUnavailable extends Error {}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new SecretUnavailable(`${file} cannot be read. Let this account read it, or set DATA_DIR.`, {
      cause: error,
    });
  }
}

/**
 * Reads a secret made on an earlier start, or makes it. Development only: production must be given its secrets. Written
 * aside and linked into place whole: of two processes that start at once both end up with the same.
 */
function developmentSecret(dataDir: string, name: string): string {
  const file = path.join(dataDir, `${name}.secret`);
  const found = readIfThere(file);
  if (found !== undefined) return found;
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(draft, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new SecretUnavailable(
        `${file} cannot be written. Set DATA_DIR to a folder this account may write to.`,
        { cause: error },
      );
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return readIfThere(file) ?? "";
}

/** What is given, and what is wrong with it besides single values: those are the schema's to tell. */
interface Given {
  readonly env: Record<string, string | undefined>;
  readonly problems: readonly string[];
  /** Variables whose absence one of the problems explains. */
  readonly explained: readonly string[];
}

function withDevelopmentSecrets(env: Record<string, string>): Given {
  if (env["NODE_ENV"] === "production") return { env, problems: [], explained: [] };
  const dataDir = env["DATA_DIR"] ?? ".data";
  try {
    const made = {
      ENCRYPTION_KEYS: env["ENCRYPTION_KEYS"] ?? `dev:${developmentSecret(dataDir, "encryption-key")}`,
      SESSION_SECRET: env["SESSION_SECRET"] ?? developmentSecret(dataDir, "session"),
    };
    return { env: { ...env, ...made }, problems: [], explained: [] };
  } catch (fault) {
    if (!(fault instanceof SecretUnavailable)) throw fault;
    return {
      env,
      problems: [`DATA_DIR: ${fault.message}`],
      explained: ["ENCRYPTION_KEYS", "SESSION_SECRET"].filter((name) => env[name] === undefined),
    };
  }
}

/** What a tool needs that only touches the database. */
export type DatabaseConfig = Pick<Config, "databaseUrl" | "dataDir" | "logLevel">;

/**
 * Parses the database's part of the environment, for tools that need no HubSpot app.
 *
 * @throws ConfigError naming every variable of that part that is wrong.
 */
export function readDatabaseConfig(env: Record<string, string | undefined>): DatabaseConfig {
  const value = parse(environment.pick({ DATABASE_URL: true, DATA_DIR: true, LOG_LEVEL: true }), {
    env: withoutBlanks(env),
    problems: [],
    explained: [],
  });
  return {
    databaseUrl: value.DATABASE_URL,
    dataDir: path.resolve(value.DATA_DIR),
    logLevel: value.LOG_LEVEL,
  };
}

/** `NAME=` in an env file means unset. */
function withoutBlanks(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "",
    ),
  );
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  { env, problems, explained }: Given,
): z.output<Schema> {
  const parsed = schema.safeParse(env);
  if (parsed.success && problems.length === 0) return parsed.data;
  const issues = (parsed.error?.issues ?? []).map((issue) => ({ ...issue, name: issue.path.join(".") }));
  const all = [
    ...issues
      .filter(({ name }) => !explained.includes(name))
      .map(({ name, message }) => `${name}: ${env[name] === undefined ? "is required" : message}`),
    ...problems,
  ];
  const lines = all.map((problem) => `  ${problem}`).join("\n");
  throw new ConfigError(`The configuration is not usable:\n${lines}\nSee .env.example for each variable.`);
}

function sessionSecretProblems({ NODE_ENV, SESSION_SECRET }: Record<string, string | undefined>): string[] {
  const isTooShort = NODE_ENV === "production" && (SESSION_SECRET?.length ?? Infinity) < LEAST_SESSION_SECRET;
  return isTooShort ? [`SESSION_SECRET: must be at least ${LEAST_SESSION_SECRET} characters`] : [];
}

function mailProblems({ SMTP_URL: smtpUrl, MAIL_FROM: from }: Record<string, string | undefined>): string[] {
  const isHalf = (smtpUrl === undefined) !== (from === undefined);
  return isHalf ? ["SMTP_URL and MAIL_FROM: set both to mail alerts, or neither."] : [];
}

function mailOf(value: { SMTP_URL?: string | undefined; MAIL_FROM?: string | undefined }): Config["mail"] {
  const { SMTP_URL: smtpUrl, MAIL_FROM: from } = value;
  if (smtpUrl === undefined || from === undefined) return undefined;
  return Object.freeze({ smtpUrl, from });
}

/**
 * Parses the environment into one frozen value; nothing else in the app reads `process.env`.
 *
 * @throws ConfigError naming every variable that is missing or wrong, and what it should be.
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = withDevelopmentSecrets(withoutBlanks(env));
  const problems = [...given.problems, ...mailProblems(given.env), ...sessionSecretProblems(given.env)];
  const value = parse(environment, { ...given, problems });
  const isProduction = value.NODE_ENV === "production";
  return Object.freeze({
    isProduction,
    role: value.ROLE,
    port: value.PORT,
    host: value.HOST ?? (isProduction ? "0.0.0.0" : "127.0.0.1"),
    publicUrl: value.PUBLIC_URL ?? `http://localhost:${value.PORT}`,
    databaseUrl: value.DATABASE_URL,
    dataDir: path.resolve(value.DATA_DIR),
    hubspot: Object.freeze({
      clientId: value.HUBSPOT_CLIENT_ID,
      clientSecrets: value.HUBSPOT_CLIENT_SECRET,
      appId: value.HUBSPOT_APP_ID,
      apiUrl: value.HUBSPOT_API_URL,
      appUrl: value.HUBSPOT_APP_URL,
      rateLimit: value.HUBSPOT_RATE_LIMIT,
    }),
    encryptionKeys: value.ENCRYPTION_KEYS,
    sessionSecret: value.SESSION_SECRET,
    logLevel: value.LOG_LEVEL,
    metricsToken: value.METRICS_TOKEN,
    mail: mailOf(value),
    executionDeadlineHours: value.EXECUTION_DEADLINE_HOURS,
  });
}
