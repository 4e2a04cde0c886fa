import path from "node:path";
import { z } from "zod";
import {
  generateSecrets,
  safetyProblems,
  safetyWarnings,
  sessionSecretsIn,
  settingOf,
  type Env,
} from "#platform/config/config-safety.js";
import {
  clientSecrets,
  contactAddress,
  destinations,
  encryptionKeys,
  mailFrom,
  origin,
  publicOrigin,
  smtpUrl,
  wholeNumber,
  type EncryptionKey,
} from "#platform/config/config-values.js";
import { AppError } from "./errors.js";

/** Every setting is wrong in some way; the message lists all problems at once, one per line. */
export class ConfigError extends AppError {
  override readonly code = "CONFIG_INVALID";
}

/** What this process does: answer HTTP, drain portals, or both. */
export type Role = "all" | "web" | "worker";

export type { EncryptionKey };

export interface Config {
  /** False only if development was requested. */
  readonly isProduction: boolean;
  /** What the operator should know although the configuration is usable, as sentences for the log. */
  readonly warnings: readonly string[];
  readonly role: Role;
  readonly port: number;
  readonly host: string;
  /** Origin HubSpot sees, in lower case and without a trailing slash. Signatures are checked against it, never against `Host`. */
  readonly publicUrl: string;
  /** Unset: an embedded PostgreSQL server under `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  /** How long a connection to the database may take, and a query wait for one; undefined: each pool's own default. */
  readonly databaseConnectTimeoutMs: number | undefined;
  readonly hubspot: {
    readonly clientId: string;
    /** The current secret first; a second one only while it is being rotated. */
    readonly clientSecrets: readonly [string, ...string[]];
    /** HubSpot's id of the app; undefined: learned from HubSpot. */
    readonly appId: string | undefined;
    readonly apiUrl: string;
    readonly appUrl: string;
    /** Requests per 10 s per portal that we allow ourselves. */
    readonly rateLimit: number;
    /** Whether uninstalls are read from HubSpot's webhooks journal. */
    readonly readsJournal: boolean;
  };
  /** Origin of Close's API. */
  readonly closeApiUrl: string;
  /** Requests per 10 s that one key of our own API may send. */
  readonly apiRateLimit: number;
  readonly encryptionKeys: readonly [EncryptionKey, ...EncryptionKey[]];
  /** The first one signs, all are accepted; a second one only while it is being rotated. */
  readonly sessionSecrets: readonly [string, ...string[]];
  readonly logLevel: string;
  /** Undefined: in production there is no `/metrics` then. */
  readonly metricsToken: string | undefined;
  /** Address of a collector of traces, without `/v1/traces`; undefined: no traces are kept. */
  readonly tracesEndpoint: string | undefined;
  /** URL for reporting vulnerabilities, for security.txt; undefined: none. */
  readonly securityContact: string | undefined;
  /** URL of whoever helps the admins of this installation, for the help page; undefined: none. */
  readonly supportContact: string | undefined;
  /** `host:port` of the operator's own network that alerts may be posted to, by http too. */
  readonly privateDestinations: ReadonlySet<string>;
  /** The sender of alert mails; undefined: no mails. */
  readonly mail: { readonly smtpUrl: string; readonly from: string } | undefined;
  /** An execution not finished after this many hours is completed as failed. */
  readonly executionDeadlineHours: number;
}

/** HubSpot lets a held execution expire after the P7D we ask for; our own deadline has to be earlier. */
const HOLD_HOURS = 7 * 24;

const environment = z.object({
  NODE_ENV: z.string().optional(),
  ROLE: z.enum(["all", "web", "worker"]).default("all"),
  PORT: wholeNumber(0, 65_535).default(3000),
  HOST: z.string().optional(),
  PUBLIC_URL: publicOrigin.optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a postgresql:// URL")
    .optional(),
  DATABASE_CONNECT_TIMEOUT_MS: wholeNumber(100, 60_000).optional(),
  DATA_DIR: z.string().default(".data"),
  HUBSPOT_CLIENT_ID: z.string().min(1),
  HUBSPOT_CLIENT_SECRET: clientSecrets,
  HUBSPOT_APP_ID: z
    .string()
    .regex(/^\d{1,18}$/, "must be the app's number")
    .optional(),
  HUBSPOT_API_URL: origin.default("https://api.hubapi.com"),
  HUBSPOT_APP_URL: origin.default("https://app.hubspot.com"),
  HUBSPOT_RATE_LIMIT: wholeNumber(1, 1_000).default(110),
  HUBSPOT_JOURNAL: z.enum(["on", "off"]).default("off"),
  CLOSE_API_URL: origin.default("https://api.close.com"),
  API_RATE_LIMIT: wholeNumber(1, 100_000).default(100),
  ENCRYPTION_KEYS: encryptionKeys,
  SESSION_SECRET: z.string().transform(sessionSecretsIn),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  METRICS_TOKEN: z.string().min(1).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: "must be an http(s) URL" }).optional(),
  PRIVATE_DESTINATIONS: destinations.optional(),
  SECURITY_CONTACT: contactAddress.optional(),
  SUPPORT_CONTACT: contactAddress.optional(),
  SMTP_URL: smtpUrl.optional(),
  MAIL_FROM: mailFrom.optional(),
  EXECUTION_DEADLINE_HOURS: z
    .string()
    .regex(/^\d{1,3}(?:\.\d{1,20})?$/, "must be a number of hours, such as 144")
    .transform(Number)
    .pipe(
      z
        .number()
        .positive("must be more than 0")
        .max(HOLD_HOURS - 1, `must leave an hour before HubSpot's own expiry (${HOLD_HOURS} h)`),
    )
    .default(144),
});

/** @public Names of every variable, for the check against `.env.example`. */
export const environmentVariables: readonly string[] = Object.keys(environment.shape);

/** The given values, and problems other than with single values: those the schema reports. */
interface Given {
  readonly env: Env;
  readonly problems: readonly string[];
  /** Variables whose absence one of the problems explains. */
  readonly explained: readonly string[];
}

/** The configuration of a tool that only uses the database. */
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

/** None of our values begins or ends with a space: secret files end with a line break, and Windows adds another one. */
function withoutBlanks(env: Record<string, string | undefined>): Env {
  return Object.fromEntries(
    Object.entries(env)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ""),
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

function mailProblems({ SMTP_URL: smtpUrl, MAIL_FROM: from }: Env): string[] {
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
  const given = withoutBlanks(env);
  const setting = settingOf(given);
  const { made, problems, explained } = generateSecrets(given, setting);
  const value = parse(environment, {
    env: { ...given, ...made },
    problems: [...problems, ...safetyProblems(given, setting), ...mailProblems(given)],
    explained,
  });
  return Object.freeze({
    isProduction: setting.isProduction,
    warnings: Object.freeze(safetyWarnings(given, setting)),
    role: value.ROLE,
    port: value.PORT,
    host: value.HOST ?? (setting.isProduction ? "0.0.0.0" : "127.0.0.1"),
    publicUrl: value.PUBLIC_URL ?? `http://localhost:${value.PORT}`,
    databaseUrl: value.DATABASE_URL,
    databaseConnectTimeoutMs: value.DATABASE_CONNECT_TIMEOUT_MS,
    dataDir: path.resolve(value.DATA_DIR),
    hubspot: Object.freeze({
      clientId: value.HUBSPOT_CLIENT_ID,
      clientSecrets: value.HUBSPOT_CLIENT_SECRET,
      appId: value.HUBSPOT_APP_ID,
      apiUrl: value.HUBSPOT_API_URL,
      appUrl: value.HUBSPOT_APP_URL,
      rateLimit: value.HUBSPOT_RATE_LIMIT,
      readsJournal: value.HUBSPOT_JOURNAL === "on",
    }),
    closeApiUrl: value.CLOSE_API_URL,
    apiRateLimit: value.API_RATE_LIMIT,
    encryptionKeys: value.ENCRYPTION_KEYS,
    sessionSecrets: value.SESSION_SECRET,
    logLevel: value.LOG_LEVEL,
    metricsToken: value.METRICS_TOKEN,
    tracesEndpoint: value.OTEL_EXPORTER_OTLP_ENDPOINT,
    securityContact: value.SECURITY_CONTACT,
    supportContact: value.SUPPORT_CONTACT,
    privateDestinations: value.PRIVATE_DESTINATIONS ?? new Set<string>(),
    mail: mailOf(value),
    executionDeadlineHours: value.EXECUTION_DEADLINE_HOURS,
  });
}
