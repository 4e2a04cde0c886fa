import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ActivityQuery } from "#domain/history/activity-query.js";
import { ADMIN_ACTIONS, type AdminAction } from "#domain/history/admin-actions.js";
import type { ExecutionItem } from "#domain/history/execution-item.js";
import type { OutcomeName } from "#domain/history/shown-outcome.js";
import { ForAdmins } from "../session/view-only.js";
import { ACTION_WORDS } from "../words/activity-words.js";
import { calledOf } from "../words/contact-words.js";
import { BULK_PATH } from "../words/paths.js";

/** Offered for what the list can hold: nothing is retried where nothing failed, nor canceled where nothing waits. */
const APPLIES: Readonly<Record<AdminAction, readonly OutcomeName[]>> = {
  RETRY: ["failed", "skipped", "already-enrolled"],
  TRY_NOW: ["waiting"],
  CANCEL: ["waiting"],
};

/** The actions that apply to any outcome that there is. */
export function actionsFor(isIn: (outcome: OutcomeName) => boolean): readonly AdminAction[] {
  return ADMIN_ACTIONS.filter((action) => APPLIES[action].some(isIn));
}

const FORM = "selection";

function actionsOf({ outcome, kind, contactId }: ExecutionItem): readonly AdminAction[] {
  if (contactId === ERASED_CONTACT) return [];
  return actionsFor((one) => one === outcome).filter((action) => action !== "RETRY" || kind === "ENROLL");
}

/** The box of a row, or as much room where nothing can be done. */
export function Pick({ item }: { item: ExecutionItem }) {
  return (
    <ForAdmins>
      {actionsOf(item).length === 0 ? (
        <span class="no-pick" />
      ) : (
        <input
          type="checkbox"
          id={`pick-${item.id}`}
          name="pick"
          value={String(item.id)}
          form={FORM}
          aria-label={`Select ${calledOf(item)}`}
        />
      )}
    </ForAdmins>
  );
}

interface SelectionModel {
  given: ActivityQuery["given"];
  items: readonly ExecutionItem[];
}

/** What can be done to the rows that are selected; asked about on a page of its own. Unseen as long as none is. */
export function Selection({ given, items }: SelectionModel) {
  const offered = new Set(items.flatMap(actionsOf));
  if (offered.size === 0) return null;
  return (
    <ForAdmins>
      <form id={FORM} method="get" action={BULK_PATH} class="actions selection on-demand">
        {Object.entries(given).map(([field, value]) => (
          <input key={field} type="hidden" name={field} value={value} />
        ))}
        {/* None was ticked: that is not everything. */}
        <input type="hidden" name="pick" value="" />
        <strong data-picked aria-live="polite">
          Selected
        </strong>
        <label class="inline" data-select-all hidden>
          <input type="checkbox" /> Select all on this page
        </label>
        {ADMIN_ACTIONS.filter((action) => offered.has(action)).map((action) => (
          <button key={action} class="button" name="action" value={action.toLowerCase()}>
            {ACTION_WORDS[action].button}…
          </button>
        ))}
      </form>
    </ForAdmins>
  );
}
