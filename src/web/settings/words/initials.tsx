import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionItem } from "#domain/history/execution-item.js";

/** A circle with the contact's initials, by which a row is found again; empty if nothing but the number is known. */
export function Initials({
  of: { contactName, contactEmail, contactId },
}: {
  of: Pick<ExecutionItem, "contactName" | "contactEmail" | "contactId">;
}) {
  const called = contactId === ERASED_CONTACT ? "" : (contactName ?? contactEmail ?? "");
  return (
    <span class="initials" aria-hidden="true">
      {initialsOf(called)}
    </span>
  );
}

/** "HD" of "Hugo Duarte", "H" of "hugo@acme.example". */
export function initialsOf(called: string): string {
  const [name = ""] = called.split("@", 1);
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  const [first, last] = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return [first, last].map((word) => [...(word ?? "")][0]?.toUpperCase() ?? "").join("");
}
