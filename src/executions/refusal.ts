import type { ErrorCode } from "./error-codes.js";

/** What HubSpot said when it refused an enrollment. */
export interface Refusal {
  readonly httpStatus: number;
  readonly category: string | undefined;
  readonly subCategory: string | undefined;
  readonly message: string;
}

/**
 * Reasons by the tail of HubSpot's sub-category. The first two were seen on the live API; the rest are the reasons the
 * product shows in its own pages, assumed to be spelled alike (dossier §5.6).
 */
const BY_SUBCATEGORY: readonly [RegExp, ErrorCode][] = [
  // Before all that concerns the inbox: a wrong alias must not mark its sender as one without.
  [/ALIAS/, "HUBSPOT_REJECTED"],
  [/NO_CONNECTED_EMAILS/, "INBOX_NOT_CONNECTED"],
  [/UNSUBSCRIBED/, "UNSUBSCRIBED"],
  [/ALREADY_ENROLLED/, "ALREADY_ENROLLED"],
  [/BOUNCED|MARKED_AS_SPAM/, "BOUNCED"],
  [/BLOCKED/, "BLOCKED"],
  [/LIMIT_EXCEEDED|LIMIT_REACHED/, "SENDER_LIMIT_REACHED"],
  [/MISSING_EMAIL|NO_EMAIL/, "CONTACT_HAS_NO_EMAIL"],
  [/SEQUENCE_NOT_FOUND/, "SEQUENCE_NOT_FOUND"],
  [/CONTACT_NOT_FOUND/, "CONTACT_NOT_FOUND"],
];

/**
 * Where HubSpot gives no usable sub-category: by its words, each pattern after the one before it. The more particular
 * rule first.
 */
const BY_MESSAGE: readonly [readonly RegExp[], ErrorCode][] = [
  [[/\balias\b/i], "HUBSPOT_REJECTED"],
  [[/already enrolled/i], "ALREADY_ENROLLED"],
  [[/no connected|not (a )?connected|connected (personal )?(inbox|email)/i], "INBOX_NOT_CONNECTED"],
  [[/inbox/i, /disconnected/i], "INBOX_NOT_CONNECTED"],
  [[/unsubscribed|opted out|legal basis/i], "UNSUBSCRIBED"],
  [[/bounced/i], "BOUNCED"],
  [[/blocked/i], "BLOCKED"],
  [[/limit (has been )?(exceeded|reached)/i], "SENDER_LIMIT_REACHED"],
  [[/(reached|exceed\w{0,3}|over) (the|their|your|its)\b/i, /\blimit/i], "SENDER_LIMIT_REACHED"],
  [[/contact/i, /has no|without|missing|does not have/i, /e-?mail/i], "CONTACT_HAS_NO_EMAIL"],
  [[/sequence/i, /not found|does not exist|not visible/i], "SEQUENCE_NOT_FOUND"],
  [[/contact/i, /not found|does not exist/i], "CONTACT_NOT_FOUND"],
];

/** One after the other and not one pattern with `.*` between: that takes the square of a text that repeats its words. */
function hasInOrder(text: string, patterns: readonly RegExp[]): boolean {
  let rest = text;
  return patterns.every((pattern) => {
    const found = pattern.exec(rest);
    rest = found === null ? "" : rest.slice(found.index + found[0].length);
    return found !== null;
  });
}

/**
 * The reason behind a refused enrollment (dossier §5.6): by sub-category, then category and status, then words;
 * HUBSPOT_REJECTED where none is known. `undefined` for a bare 404, which may mean the sequence or the contact: the
 * caller has to look.
 */
export function refusalCode(refusal: Refusal): ErrorCode | undefined {
  const bySubCategory = BY_SUBCATEGORY.find(([pattern]) => pattern.test(refusal.subCategory ?? ""))?.[1];
  if (bySubCategory !== undefined) return bySubCategory;
  if (refusal.category === "MISSING_SCOPES" || /required scopes|missing scopes/i.test(refusal.message)) {
    return "MISSING_SCOPES";
  }
  if (refusal.httpStatus === 403) return "SENDER_NOT_PERMITTED";
  const byMessage = BY_MESSAGE.find(([patterns]) => hasInOrder(refusal.message, patterns))?.[1];
  if (byMessage !== undefined) return byMessage;
  return refusal.httpStatus === 404 ? undefined : "HUBSPOT_REJECTED";
}
