import { ACTIVITY_PATH } from "../words/paths.js";

/** From the overview to one contact: the shortest way to "what happened to them?". */
export function FindContact() {
  return (
    <form class="card find" method="get" action={ACTIVITY_PATH} role="search" aria-label="Contacts">
      <label for="find-contact">What happened to a contact?</label>
      <input
        id="find-contact"
        type="search"
        name="q"
        maxLength={320}
        placeholder="Beginning of an email address, @domain, or an id"
      />
      <button class="button primary">Find</button>
      <a class="button" href={ACTIVITY_PATH}>
        All activity
      </a>
    </form>
  );
}
