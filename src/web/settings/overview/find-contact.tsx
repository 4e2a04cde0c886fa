import { LONGEST_SEARCH } from "#domain/contract/execution-filter.js";
import { ACTIVITY_PATH } from "../words/paths.js";

/** From the overview to one contact: the shortest way to "what happened to them?". */
export function FindContact() {
  return (
    <form class="card find" method="get" action={ACTIVITY_PATH} role="search" aria-label="Contacts">
      <label for="find-contact">Find a contact</label>
      <input
        id="find-contact"
        type="search"
        name="q"
        maxLength={LONGEST_SEARCH}
        placeholder="Name, email, or contact ID"
      />
      <button class="button primary">Search</button>
      <a class="button" href={ACTIVITY_PATH}>
        View all activity
      </a>
    </form>
  );
}
