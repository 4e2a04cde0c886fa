import type { PortalId } from "#platform/ids/branded-ids.js";
import type { TextCipher } from "./webhook-seals.js";

/** Purpose and path of a link in a mail; a link of one kind does not work for another. */
export interface MailLinkKind {
  readonly path: string;
  /** The purpose that is sealed into the link's token (src/domain/vault/cipher.ts). */
  readonly field: string;
}

/** The sealed content of a link: its holder acts for the address in it, and none of it is visible. */
export interface MailLink {
  readonly portalId: PortalId;
  readonly text: string;
}

export interface LinkMaker {
  readonly cipher: TextCipher;
  /** Origin of our pages. */
  readonly publicUrl: string;
}

export function mailLink(
  { path, field }: MailLinkKind,
  { portalId, text }: MailLink,
  { cipher, publicUrl }: LinkMaker,
): string {
  const token = cipher.seal(text, { portalId, field });
  return `${publicUrl}${path}?account=${portalId}&token=${encodeURIComponent(token)}`;
}

/** @param query of the request. Undefined if the link is not one of ours, or of another kind. */
export function readMailLink(
  { field }: MailLinkKind,
  cipher: TextCipher,
  { account, token }: { readonly account?: unknown; readonly token?: unknown },
): MailLink | undefined {
  if (typeof account !== "string" || typeof token !== "string" || !/^[1-9]\d{0,17}$/.test(account))
    return undefined;
  const portalId = BigInt(account);
  try {
    return { portalId, text: cipher.open(token, { portalId, field }) };
  } catch {
    return undefined;
  }
}
