/** Parts of a name that mark its value as a secret, whatever it looks like. */
const SECRET_NAME =
  /token|secret|authorization|cookie|password|ciphertext|signature|encryption|api[_-]?key|credential/i;

/** `code` and `state` are OAuth's, as fields and as URL parameters. */
const OAUTH_FIELD = /^(?:code|state)$/i;
/** Endings of a parameter's name; `3F` and `26` remain from an escaped `?` or `&` before it. */
const OAUTH_PARAMETER = /(?:^|^3F|^26|[.-])(?:code|state)$/i;

/**
 * Stable error codes (`BODY_TOO_LARGE`), which a field called `code` may show: OAuth's codes have digits or lower-case
 * letters.
 */
const STABLE_CODE = /^[A-Z]{2,}(?:_[A-Z]+){0,8}$/;

/** Whether the field of a log record must not be printed. */
export function isSecretField(name: string, value: unknown): boolean {
  if (SECRET_NAME.test(name)) return true;
  return OAUTH_FIELD.test(name) && !(typeof value === "string" && STABLE_CODE.test(value));
}

/** A JSON text with its name, inside text that is JSON itself or quotes some, escaped several times. */
const NAMED_JSON = /"([\w.-]{1,256})(\\{0,31}"\s{0,8}:\s{0,8}\\{0,31}")[^"\\]*/g;

/** A value with its name as headers, YAML and many programs write them: `client_secret: …`, `{'token': '…'}`. */
const NAMED_PLAIN = /(?<![\w.-])([\w.-]{1,64})('?:\s{0,4}'?)([\w.~+/=-]{12,})/g;

/** The name of a parameter, up to its equals sign; the value is what follows. */
const PARAMETER_NAME = /(?<![\w.-])([\w.-]+)(?:=|%3D)/gi;
const PARAMETER_VALUE = /[^&\s"'\\]*/y;

/**
 * Secrets by shape. All of this is applied to text by strangers, so each pattern takes linear time
 * (test/long/patterns.test.ts). None matches across a quote or a backslash, so that JSON text stays JSON.
 */
const SECRET_SHAPES: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s{1,16}[\w.~+/=-]+/gi, "$1 [redacted]"],
  // HubSpot's refresh tokens and private-app tokens carry the hublet: na1-…, pat-eu1-…
  [/\b(?:na|eu|ap)\d{1,4}-[0-9a-f]{4,}-[\w-]+/gi, "[redacted]"],
  // Keys of Close.
  [/\bapi_(?=[\w.]{0,64}\d)[\w.]{16,}/g, "[redacted]"],
  // A JWT: base64url of a text that begins with {".
  [/\beyJ[\w.-]{8,}/g, "[redacted]"],
];

/** The password in any URL, a database's above all; without an `@` after it, it is at most a port. */
const URL_PASSWORD = /(:\/\/[^:/@\s"'\\]*:)[^@\s"'\\]+(@?)/g;

/** HubSpot's access tokens have no fixed start: any long word of mixed capitals and digits. */
const LONG_WORD = /(?<![\w-])[\w-]{40,}/g;

function isRandom(word: string): boolean {
  return /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d/.test(word);
}

function hideParameters(text: string): string {
  if (!/=|%3D/i.test(text)) return text;
  let shown = "";
  let from = 0;
  for (const { index, 0: matched, 1: name = "" } of text.matchAll(PARAMETER_NAME)) {
    const isInHidden = index < from;
    if (isInHidden || !(SECRET_NAME.test(name) || OAUTH_PARAMETER.test(name))) continue;
    PARAMETER_VALUE.lastIndex = index + matched.length;
    const [value = ""] = PARAMETER_VALUE.exec(text) ?? [];
    if (value === "") continue;
    shown += `${text.slice(from, index + matched.length)}[redacted]`;
    from = index + matched.length + value.length;
  }
  return shown + text.slice(from);
}

function hideNamed(text: string): string {
  return text.replace(NAMED_JSON, (whole, name: string, between: string) =>
    SECRET_NAME.test(name) ? `"${name}${between}[redacted]` : whole,
  );
}

/** What has no digit is a word, as in "signature: not-confirmed-yet". */
function hidePlain(text: string): string {
  if (!text.includes(":")) return text;
  return text.replace(NAMED_PLAIN, (whole, ...[name = "", between = "", value = ""]: string[]) =>
    SECRET_NAME.test(name) && /\d/.test(value) ? `${name}${between}[redacted]` : whole,
  );
}

/** Puts `[redacted]` for everything in the text that is a secret by its name or by its shape. */
export function hideSecrets(text: string): string {
  return SECRET_SHAPES.reduce(
    (result, [pattern, replacement]) => result.replace(pattern, replacement),
    hidePlain(hideParameters(hideNamed(text))),
  )
    .replace(URL_PASSWORD, (whole, start: string, end: string) =>
      end === "" ? whole : `${start}[redacted]${end}`,
    )
    .replace(LONG_WORD, (word) => (isRandom(word) ? "[redacted]" : word));
}

/** An email address, as it is and as a URL writes it. */
const ADDRESS =
  /(?<!:\/\/|[^\s"'\\()<>[\]{},;:@/=&?|%])[^\s"'\\()<>[\]{},;:@/=&?|%]{1,64}(?:@|%40)(?:[\p{L}\d-]{1,63}\.){1,8}\p{L}{2,24}/gu;

/** Puts `[address]` for every email address in the text. A URL's user is none: `postgresql://enroller@db.internal`. */
export function hideAddresses(text: string): string {
  return text.includes("@") || text.includes("%40") ? text.replace(ADDRESS, "[address]") : text;
}
