import { z } from "zod";

/** Digits only: " ", "0x1F" and "1e3" are numbers to JavaScript too. */
export function wholeNumber(from: number, to: number) {
  const problem = `must be a whole number from ${from} to ${to}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, problem)
    .transform(Number)
    .pipe(z.number().min(from, problem).max(to, problem));
}

export const origin = z
  .string()
  .transform((value) => value.replace(/\/{1,8}$/, ""))
  .refine(
    (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    "must be an http(s) URL",
  );

const BARE_ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\]+$/i;

/**
 * Signatures cover the whole URL that HubSpot called, so a path here would make every one of them wrong. It is
 * normalized to an origin: scheme and host in lower case, no default port, no trailing slash. HubSpot signs the URL
 * from the app's configuration, so that has to be spelled the same way.
 */
export const publicOrigin = origin
  .refine(
    (value) => !URL.canParse(value) || BARE_ORIGIN.test(value),
    "must be an origin without a path, such as https://app.example.com",
  )
  .transform((value) => new URL(value).origin);

/** One AES-256 key. `id` is stored with each ciphertext so that old data stays readable after a rotation. */
export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

const KEY_ENTRY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/_-]{43}=?)$/;

/** One entry of ENCRYPTION_KEYS; undefined if it has another form. */
export function readKey(entry: string): EncryptionKey | undefined {
  const [, id, encoded] = KEY_ENTRY.exec(entry.trim()) ?? [];
  return id === undefined || encoded === undefined ? undefined : { id, key: Buffer.from(encoded, "base64") };
}

/** `id:base64(32 bytes)`, more after commas. */
export const encryptionKeys = z.string().transform((text, context) => {
  const entries = text.split(",").map(readKey);
  const keys = entries.filter((key) => key !== undefined);
  if (keys.length < entries.length)
    context.addIssue({ code: "custom", message: "must be id:base64(32 bytes)[,id:base64(32 bytes)…]" });
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    context.addIssue({ code: "custom", message: "uses one key id twice" });
  }
  return keys as [EncryptionKey, ...EncryptionKey[]];
});

export const clientSecrets = z.string().transform((text, context) => {
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

const UNVERIFIED_TLS = "tls.rejectUnauthorized";

/**
 * Options of the mail library that a URL's query may set. Others could turn off the encryption, lead to another server than
 * the one that stands there, or print the password; the scheme and `user:password@host:port` say all that.
 */
const MAIL_OPTIONS: ReadonlySet<string> = new Set(["name", "authMethod", "tls.servername", UNVERIFIED_TLS]);

export const smtpUrl = z
  .string()
  .refine(
    (value) =>
      URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol) && new URL(value).hostname !== "",
    "must look like smtp://user:password@host:587 or smtps://user:password@host:465",
  )
  .refine(
    (value) => !URL.canParse(value) || [...new URL(value).searchParams.keys()].every(isMailOption),
    `may end in the options ${[...MAIL_OPTIONS].join(", ")} alone: others can turn off its encryption`,
  );

function isMailOption(name: string): boolean {
  return MAIL_OPTIONS.has(name);
}

/** Whether mail goes out though nobody vouches for the server's certificate. */
export function isUnverifiedMail(smtpUrl: string): boolean {
  const values = URL.canParse(smtpUrl) ? new URL(smtpUrl).searchParams.getAll(UNVERIFIED_TLS) : [];
  return values.some((value) => value !== "true" && value !== "1");
}

/** `ops@example.com`, or with a name: `Sequence Enroller <ops@example.com>`. */
export const mailFrom = z
  .string()
  .refine(
    (value) => z.email().safeParse(/^[^<>\r\n]*<([^<>]+)>$/.exec(value)?.[1] ?? value).success,
    "must be an address, or a name and the address in <>",
  );

/** A host in the spelling of URLs, so that the two can be compared, and the port. */
const DESTINATION = /^(\[[\da-f:.]{2,45}\]|[a-z\d](?:[a-z\d._-]{0,251}[a-z\d])?):(\d{1,5})$/;

function isDestination(entry: string): boolean {
  const [, host = "", port = ""] = DESTINATION.exec(entry) ?? [];
  const url = `http://${host}`;
  return URL.canParse(url) && new URL(url).hostname === host && Number(port) >= 1 && Number(port) <= 65_535;
}

/** `host:port`, more after commas; parsed into a set. */
export const destinations = z.string().transform((text, context): ReadonlySet<string> => {
  const entries = text.split(",").map((entry) => entry.trim().toLowerCase());
  if (!entries.every(isDestination)) {
    context.addIssue({
      code: "custom",
      message: "must be host:port, more after commas, such as alerts.internal:8080,10.0.0.7:443",
    });
  }
  return new Set(entries);
});

/** Whom to turn to: a mail address, or a web page, as the URL that security.txt requires. */
export const contactAddress = z
  .string()
  .refine(
    (value) => z.email().safeParse(value.replace(/^mailto:/, "")).success || /^https:\/\/[^\s]+$/.test(value),
    "must be an email address or an https:// page",
  )
  .transform((value) => (/^(?:mailto|https):/.test(value) ? value : `mailto:${value}`));
