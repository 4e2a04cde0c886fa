import { PostForm } from "./form.js";
import type { SitePath } from "./navigation.js";

/** When a pause ends, by the value of the form's field. */
export const PAUSE_ENDS = {
  "": "When I resume",
  hour: "In 1 hour",
  morning: "Tomorrow at 8 AM",
  monday: "Monday at 8 AM",
} as const;
export type PauseEnd = keyof typeof PAUSE_ENDS;

export const LONGEST_PAUSE_REASON = 200;

/** In the head of every page while enrollment is not paused: folded, so that one sees first what a pause does. */
export function PauseMenu({ formToken, current }: { formToken: string; current: SitePath }) {
  return (
    <details class="pause-menu">
      <summary>Pause</summary>
      <PostForm action="/settings/danger/pause" formToken={formToken}>
        <input type="hidden" name="back" value={current} />
        <p>
          New contacts wait at the workflow action until you resume, each until its deadline. Contacts already
          in a sequence keep receiving its emails.
        </p>
        <PauseFields />
        <button class="button danger">Pause all enrollment</button>
      </PostForm>
    </details>
  );
}

/** Labels around their fields: a page may have them twice. */
export function PauseFields() {
  return (
    <div class="pause-fields">
      <label>
        Resume
        <select name="end">
          {Object.entries(PAUSE_ENDS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Reason (optional)
        <input type="text" name="reason" maxLength={LONGEST_PAUSE_REASON} autocomplete="off" />
      </label>
    </div>
  );
}
