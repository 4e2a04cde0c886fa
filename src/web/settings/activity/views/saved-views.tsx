import { addressWith, type ActivityQuery } from "#domain/history/activity-query.js";
import { isSavable, LONGEST_VIEW_NAME, type SavedView } from "#domain/history/search/saved-views.js";
import { PostForm } from "../../frame/form.js";
import { ForAdmins } from "../../session/view-only.js";
import { ACTIVITY_PATH, VIEWS_PATH } from "../../words/paths.js";

interface ViewsModel {
  readonly views: readonly SavedView[];
  readonly query: ActivityQuery;
  readonly formToken: string;
}

/** The account's saved filters, and a form that saves the one in use. */
export function SavedViews({ views, query, formToken }: ViewsModel) {
  const current = views.find((view) => isSame(view.query, query.given));
  const canSave = current === undefined && isSavable(query);
  if (views.length === 0 && !canSave) return null;
  return (
    <div class="views">
      {views.length === 0 ? null : (
        <nav class="choice" aria-label="Saved views">
          {views.map((view) => (
            <a
              key={String(view.id)}
              href={addressWith(ACTIVITY_PATH, view.query)}
              aria-current={view === current ? "true" : undefined}
            >
              <bdi>{view.name}</bdi>
            </a>
          ))}
        </nav>
      )}
      <ForAdmins>
        {current === undefined ? null : (
          <PostForm action={`${VIEWS_PATH}/${current.id}/delete`} formToken={formToken}>
            <button class="button quiet" aria-label={`Delete the view ${current.name}`}>
              Delete view
            </button>
          </PostForm>
        )}
        {canSave ? <SaveForm query={query} formToken={formToken} /> : null}
      </ForAdmins>
    </div>
  );
}

function SaveForm({ query, formToken }: Omit<ViewsModel, "views">) {
  return (
    <details class="save-view">
      <summary>Save this view</summary>
      <PostForm action={VIEWS_PATH} formToken={formToken} class="inline">
        {Object.entries(query.given).map(([field, value]) => (
          <input key={field} type="hidden" name={field} value={value} />
        ))}
        <label for="view-name">Name</label>
        <input id="view-name" name="name" required maxlength={LONGEST_VIEW_NAME} autocomplete="off" />
        <button class="button">Save</button>
      </PostForm>
      <p class="note">Everyone with access to this account sees it.</p>
    </details>
  );
}

function isSame(one: ActivityQuery["given"], other: ActivityQuery["given"]): boolean {
  const sorted = (given: object) => JSON.stringify(Object.entries(given).sort());
  return sorted(one) === sorted(other);
}
