import { API_SCOPES, type ApiScope } from "#domain/contract/actor.js";
import { LONGEST_KEY_NAME, type KeyDraft } from "#domain/keys/change-keys.js";
import { endOfExpiryDay } from "#domain/keys/expiry-day.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { Problems } from "../frame/problems.js";

/** The form of a new key as it was filled in. */
export interface KeyEntry {
  readonly name: string;
  readonly scopes: readonly ApiScope[];
  /** The last day, such as 2027-01-31; empty: it never expires. */
  readonly expires: string;
}

export const EMPTY_ENTRY: KeyEntry = { name: "", scopes: [], expires: "" };

export function readKeyEntry(form: FormFields): KeyEntry {
  const ticked = form.texts("scopes");
  return {
    name: form.text("name"),
    scopes: API_SCOPES.filter((scope) => ticked.includes(scope)),
    expires: form.text("expires"),
  };
}

/** @returns the key to make, or what is wrong with the form */
export function draftOf({ name, scopes, expires }: KeyEntry, now: Date): KeyDraft | { problems: Problems } {
  const expiresAt = expires === "" ? undefined : endOfExpiryDay(expires);
  const problems: Record<string, string> = {};
  if (name === "" || name.length > LONGEST_KEY_NAME)
    problems["name"] = `Give the key a name of 1 to ${LONGEST_KEY_NAME} characters.`;
  if (scopes.length === 0) problems["scopes"] = "Choose at least one scope.";
  if (expires !== "" && expiresAt === undefined) problems["expires"] = "Enter a date, such as 2027-01-31.";
  if (expiresAt !== undefined && expiresAt <= now) problems["expires"] = "Choose a day in the future.";
  return Object.keys(problems).length > 0 ? { problems } : { name, scopes, expiresAt };
}
