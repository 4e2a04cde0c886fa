import { PostForm } from "./fields.js";
import type { SitePath } from "./navigation.js";

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
        <button class="button danger">Pause all enrollment</button>
      </PostForm>
    </details>
  );
}
