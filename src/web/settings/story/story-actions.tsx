import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { AdminAction } from "#domain/history/admin-actions.js";
import { shorten } from "#platform/text/shorten.js";
import { PostForm } from "../frame/form.js";
import { ACTION_WORDS } from "../words/activity-words.js";
import { LONGEST_LABEL } from "../words/names.js";
import { storyPath, unenrollPath } from "../words/paths.js";
import type { StoryPartModel } from "./story-model.js";

/** What can be done, the most useful first; what each does is told below, for whoever wants to know before. */
export function Actions(model: StoryPartModel) {
  const { story } = model;
  const asksAgain = story.kind === "ENROLL" && story.contactId !== ERASED_CONTACT;
  const actions = story.actions.filter((action) => action !== "RETRY" || story.errorCode !== "UNSUBSCRIBED");
  if (actions.length === 0 && !asksAgain && story.endable === undefined) return null;
  return (
    <section class="card story-actions" aria-label="Actions">
      <div class="buttons">
        {actions.map((action) => (
          <Act key={action} {...model} action={action} />
        ))}
        {asksAgain ? <AskNow {...model} /> : null}
        {story.endable === undefined ? null : (
          <a class="button" id="unenroll" href={unenrollPath(story.id)} aria-describedby="about-unenroll">
            Unenroll from sequence
          </a>
        )}
      </div>
      {story.errorCode === "UNSUBSCRIBED" ? (
        <p class="note">The contact chose not to get email. Respect the opt-out.</p>
      ) : null}
      <details>
        <summary>What these do</summary>
        <dl class="facts">
          {actions.map((action) => (
            <>
              <dt>{ACTION_WORDS[action].button}</dt>
              <dd id={`about-${action}`}>{ACTION_WORDS[action].explained}</dd>
            </>
          ))}
          {asksAgain ? (
            <>
              <dt>Test again</dt>
              <dd id="about-ask-now">
                Checks the same contact with today's rules and senders. Doesn't enroll anyone.
              </dd>
            </>
          ) : null}
          {story.endable === undefined ? null : (
            <>
              <dt>Unenroll from sequence</dt>
              <dd id="about-unenroll">
                Ends the contact's enrollment in <bdi>{shorten(story.endable.sequence, LONGEST_LABEL)}</bdi>.
                You are asked once more before.
              </dd>
            </>
          )}
        </dl>
      </details>
    </section>
  );
}

function Act({ story, formToken, action }: StoryPartModel & { action: AdminAction }) {
  return (
    <PostForm action={`${storyPath(story.id)}/${action.toLowerCase()}`} formToken={formToken}>
      <button class="button" id={`do-${action}`} aria-describedby={`about-${action}`}>
        {ACTION_WORDS[action].button}
      </button>
    </PostForm>
  );
}

/** Asks what an action like this one would do with the contact now; a form, so that no address shows one's contact. */
function AskNow({ story, formToken }: StoryPartModel) {
  const asked = new Map(story.inputs);
  const fields = {
    contact: story.contactId,
    sequence_id: story.sequenceId ?? "",
    sender_mode: asked.get("senderMode") ?? "portal_default",
    sender_user_id: asked.get("senderUserId") ?? "",
    rotation_id: asked.get("rotationId") ?? "",
    preset_id: asked.get("presetId") ?? "",
  };
  return (
    <PostForm action="/settings/try" formToken={formToken} isQuestion aria-label="Test again">
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <button class="button" id="ask-now" aria-describedby="about-ask-now">
        Test again
      </button>
    </PostForm>
  );
}
