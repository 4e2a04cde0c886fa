import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionItem } from "#domain/history/execution-item.js";
import { shorten } from "#platform/text/shorten.js";

/** What the contact is called: by name, else by address, else by its number. */
export function calledOf(item: Pick<ExecutionItem, "contactName" | "contactEmail" | "contactId">): string {
  const { contactName, contactEmail, contactId } = item;
  if (contactId === ERASED_CONTACT) return "Deleted contact";
  return shorten(contactName ?? contactEmail ?? `Contact ${contactId}`, LONGEST_ADDRESS);
}

/** The stored reason, which calls its sender by address, with the sender's name. */
export function reasonOf({
  errorMessage,
  senderEmail,
  senderName,
}: Pick<ExecutionItem, "errorMessage" | "senderEmail" | "senderName">): string | null {
  if (errorMessage === null || senderEmail === null || senderName === null) return errorMessage;
  // By functions: in a name, "$&" means nothing.
  return errorMessage
    .replaceAll(`Sender ${senderEmail}`, () => senderName)
    .replaceAll(senderEmail, () => senderName);
}
