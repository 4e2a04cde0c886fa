import type { ErrorCode } from "#domain/contract/error-codes.js";

/** What HubSpot said when it refused an enrollment. */
export interface Refusal {
  readonly httpStatus: number;
  readonly category: string | undefined;
  /** Error names in its answer, the more important first. */
  readonly codes: readonly string[];
  readonly message: string;
  /** Messages of the individual errors below the main message. */
  readonly details?: readonly string[];
}

/**
 * Reasons by HubSpot's error name. Two were seen on the live API; the rest are the reasons shown in HubSpot's
 * documentation, assumed to be spelled alike.
 */
const BY_CODE: readonly [RegExp, ErrorCode][] = [
  // Before everything about the inbox: a wrong alias must not mark its sender as having no inbox.
  [/ALIAS/, "HUBSPOT_REJECTED"],
  [/MISSING_SCOPES/, "MISSING_SCOPES"],
  [/NO_CONNECTED|NOT_CONNECTED|DISCONNECTED|NO_INBOX/, "INBOX_NOT_CONNECTED"],
  [/UNSUBSCRIBED|OPTED_OUT|NO_LEGAL_BASIS/, "UNSUBSCRIBED"],
  [/ALREADY_(?:\w{1,20}_)?ENROLLED/, "ALREADY_ENROLLED"],
  [/BOUNCED|MARKED_AS_SPAM/, "BOUNCED"],
  [/BLOCKED/, "BLOCKED"],
  [/LIMIT_(?:WAS_|HAS_BEEN_)?(?:EXCEEDED|REACHED|HIT)/, "SENDER_LIMIT_REACHED"],
  [/MISSING_EMAIL|NO_EMAIL/, "CONTACT_HAS_NO_EMAIL"],
  [/SEQUENCE_(?:NOT_FOUND|DOES_NOT_EXIST|DELETED)|INVALID_SEQUENCE/, "SEQUENCE_NOT_FOUND"],
  [/CONTACT_(?:NOT_FOUND|DOES_NOT_EXIST|DELETED)|INVALID_CONTACT/, "CONTACT_NOT_FOUND"],
];

const MISSING = /not (?:be )?found|n[o']t exist|no longer exists?|not visible|deleted/i;
const SEARCHED = /(?:unable to|can(?:no|')t|could ?n[o']t) find|no such/i;
const IS_ENROLLED =
  /already (?:\w{1,20} ){0,2}enrolled|(?:actively|currently) enrolled|already (?:active )?in (?:a|another|this) sequence/i;

/**
 * Used if the answer contains no known error name: by HubSpot's words, each pattern after the one before it. The more
 * specific rule comes first.
 */
const BY_WORDS: readonly [readonly RegExp[], ErrorCode][] = [
  [[/required scopes|missing scopes/i], "MISSING_SCOPES"],
  [[/\balias\b/i], "HUBSPOT_REJECTED"],
  [[IS_ENROLLED], "ALREADY_ENROLLED"],
  [
    [/no connected|not (?:a )?connected|connected (?:personal )?(?:inbox|email)|no inbox/i],
    "INBOX_NOT_CONNECTED",
  ],
  [[/inbox/i, /disconnected/i], "INBOX_NOT_CONNECTED"],
  [[/unsubscribed|opted out|legal basis/i], "UNSUBSCRIBED"],
  [[/bounced/i], "BOUNCED"],
  [[/blocked/i], "BLOCKED"],
  // About the request, not about the sender.
  [[/\b(?:length|size|rate|requests?|api|characters?) limit/i], "HUBSPOT_REJECTED"],
  [[/\blimit\b/i, /\b(?:exceeded|reached|hit)\b/i], "SENDER_LIMIT_REACHED"],
  [
    [/\b(?:reached|exceed\w{0,3}|over|hit) (?:the|their|your|its|a|an)\b/i, /\blimit/i],
    "SENDER_LIMIT_REACHED",
  ],
  [[/contact/i, /has no|without|missing|does not have/i, /e-?mail/i], "CONTACT_HAS_NO_EMAIL"],
  [[/sequence/i, MISSING], "SEQUENCE_NOT_FOUND"],
  [[/sequence id/i, /invalid|not valid/i], "SEQUENCE_NOT_FOUND"],
  [[/invalid sequence/i], "SEQUENCE_NOT_FOUND"],
  [[SEARCHED, /sequence/i], "SEQUENCE_NOT_FOUND"],
  [[/contact/i, MISSING], "CONTACT_NOT_FOUND"],
  [[SEARCHED, /contact/i], "CONTACT_NOT_FOUND"],
];

/** Separate patterns, not one with `.*` in between: that takes quadratic time on a text that repeats its words. */
function hasInOrder(text: string, patterns: readonly RegExp[]): boolean {
  let rest = text;
  return patterns.every((pattern) => {
    const found = pattern.exec(rest);
    rest = found === null ? "" : rest.slice(found.index + found[0].length);
    return found !== null;
  });
}

/** An error name within a sentence. */
const CODE_IN_TEXT = /\bSequence[A-Za-z]{0,40}Error\.[A-Za-z_]{1,80}/g;
/** HubSpot puts the names of records in quotes: people choose them, and may use any word. */
const QUOTED = /"[^"]{0,500}"|“[^“”]{0,500}”/g;
/**
 * Recognizes an error name in a sentence by what is before and after it. The name of a record is elsewhere: "Contact
 * SequenceError.BLOCKED has no owner" says nothing about a block.
 */
const PLACES_OF_CODES: readonly (readonly [before: RegExp, after: RegExp])[] = [
  [/^\s{0,5}[([]?$/, /^\s{0,5}(?:$|[\])]|[:.;,–—-])/],
  [/[([]$/, /^[\])]\s{0,5}\.?\s{0,5}$/],
  [/[:=–—-]\s{0,5}$/, /^\s{0,5}\.?\s{0,5}$/],
  [
    /\b(?:with|error|code|reason|type|failed)\s?[:=]?\s{0,5}$/i,
    /^\s{0,5}(?:$|[\])]|[:.;,–—-]|(?:for|on|in|at)\b)/i,
  ],
];

/** Long enough to see what is next to an error name. */
const NEARBY = 40;

function codesIn(text: string): string[] {
  return [...text.matchAll(CODE_IN_TEXT)]
    .filter(({ index, 0: code }) => {
      const end = index + code.length;
      // HubSpot sometimes puts the package name of a class in front.
      const before = text
        .slice(Math.max(0, index - NEARBY), index)
        .replace(/(?:\b[a-z]\w{0,20}\.){1,3}$/, "");
      const after = text.slice(end, end + NEARBY);
      return PLACES_OF_CODES.some(([isBefore, isAfter]) => isBefore.test(before) && isAfter.test(after));
    })
    .map(([code]) => code);
}

/** `SequenceError.SendLimitExceeded` and `sequence-error.send-limit-exceeded` name the same error. */
const spelled = (code: string): string =>
  code
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toUpperCase();

function byCodes(codes: readonly string[]): ErrorCode | undefined {
  for (const code of codes.map(spelled)) {
    const found = BY_CODE.find(([pattern]) => pattern.test(code))?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

function byWords(texts: readonly string[]): ErrorCode | undefined {
  for (const text of texts.map((sentence) => sentence.replace(CODE_IN_TEXT, ""))) {
    const found = BY_WORDS.find(([patterns]) => hasInOrder(text, patterns))?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Error names in a sentence count like words: before all other rules if the sentence begins with one, otherwise after
 * them.
 */
function byTexts(texts: readonly string[]): ErrorCode | undefined {
  const leading = texts.flatMap((text) => codesIn(text).filter((code) => text.trimStart().startsWith(code)));
  return byCodes(leading) ?? byWords(texts) ?? byCodes(texts.flatMap(codesIn));
}

/**
 * The reason behind a refused enrollment: by the error names in HubSpot's answer, then by category and status, then by
 * its words; HUBSPOT_REJECTED if nothing is recognized.
 *
 * @returns undefined for a bare 404, which may mean the sequence or the contact: the caller has to look.
 */
export function refusalCode({
  httpStatus,
  category,
  codes,
  message,
  details = [],
}: Refusal): ErrorCode | undefined {
  const texts = [message, ...details].map((text) => text.replace(QUOTED, ""));
  const named = byCodes([...codes, ...(category === undefined ? [] : [category])]);
  if (named !== undefined) return named;
  const told = byTexts(texts);
  // The message for a user without permission names many permissions; the one for the app's scopes few.
  if (httpStatus === 403 && told !== "MISSING_SCOPES")
    return byCodes(texts.flatMap(codesIn)) ?? "SENDER_NOT_PERMITTED";
  if (told !== undefined) return told;
  return httpStatus === 404 ? undefined : "HUBSPOT_REJECTED";
}
