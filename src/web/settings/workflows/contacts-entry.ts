import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { MOST_ENTRIES, type EntryContact } from "#domain/flow-entries/flow-entry.js";
import type { EntryRequest } from "#domain/flow-entries/put-in-workflow.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { Problems } from "../frame/problems.js";

/** The form that puts contacts in a workflow, as texts. */
export interface ContactsEntry {
  flow: string;
  contacts: string;
  /** Names the form: sent twice it is one. */
  key: string;
}

export interface ContactsForm {
  readonly entry: ContactsEntry;
  readonly problems: Problems;
}

export const emptyContactsEntry = (): ContactsEntry => ({ flow: "", contacts: "", key: randomUUID() });

export function readContactsEntry(form: FormFields): ContactsEntry {
  return { flow: form.text("flow"), contacts: form.text("contacts"), key: form.text("key") };
}

const email = z.email().max(LONGEST_ADDRESS);
/** Wrong ones that are named. */
const NAMED = 3;

/** Ids and addresses as people paste them: one per line, or with commas, semicolons and spaces between them. */
export function parseContactsEntry(entry: ContactsEntry): { request: EntryRequest } | { problems: Problems } {
  const { flow, contacts, key } = entry;
  const texts = [...new Set(contacts.split(/[\s,;]+/).filter((text) => text !== ""))];
  const wrong = texts.filter((text) => !/^\d{1,18}$/.test(text) && !email.safeParse(text).success);
  const problem = problemOf(texts, wrong);
  const problems = {
    ...(/^\d{1,20}$/.test(flow) ? {} : { flow: "Choose a workflow." }),
    ...(problem === undefined ? {} : { contacts: problem }),
  };
  if (Object.keys(problems).length > 0) return { problems };
  const requestId = createHash("sha256")
    .update(JSON.stringify([key, flow, texts]))
    .digest("hex")
    .slice(0, 32);
  const named = texts.map((text): EntryContact => (text.includes("@") ? { email: text } : { id: text }));
  return { request: { requestId, flowId: flow, contacts: named } };
}

function problemOf(texts: readonly string[], wrong: readonly string[]): string | undefined {
  if (texts.length === 0) return "Enter at least one contact, by record ID or email address.";
  if (texts.length > MOST_ENTRIES)
    return `Enter up to ${MOST_ENTRIES.toLocaleString("en-US")} contacts at a time.`;
  if (wrong.length === 0) return undefined;
  const named = wrong.slice(0, NAMED).map((text) => `“${text.slice(0, 100)}”`);
  const rest = wrong.length > NAMED ? ` and ${wrong.length - NAMED} more` : "";
  return `These aren't record IDs or email addresses: ${named.join(", ")}${rest}.`;
}
