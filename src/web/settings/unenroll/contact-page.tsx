import { PostForm } from "../frame/form.js";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { ExecutionStory } from "#domain/history/execution-story.js";
import { shorten } from "#platform/text/shorten.js";
import { ActivityFrame, type FrameModel } from "../activity/frame.js";
import { Time } from "../frame/connection.js";
import type { Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { storyPath, unenrollPath } from "../words/paths.js";

export interface ContactModel extends FrameModel {
  readonly story: ExecutionStory;
  /** Why it cannot be done; undefined: it can, if `story.endable` says so. */
  readonly reason: string | undefined;
  readonly format: Format;
}

const NOTHING_KNOWN =
  "We don't know of a sequence this contact is in. The contact has left it, or is already being taken out.";

/** Asked before a contact is taken out of its sequence. */
export function ContactPage({ story, reason, format, frame }: ContactModel) {
  const { endable } = story;
  const contact = shorten(story.contactEmail ?? `Contact ${story.contactId}`, LONGEST_ADDRESS);
  return (
    <ActivityFrame
      title="Unenroll from sequence"
      frame={frame}
      up={{ href: storyPath(story.id), label: contact }}
    >
      <h1>Unenroll from sequence</h1>
      <section class="card">
        <p>
          <strong>
            <bdi>{contact}</bdi>
          </strong>
        </p>
        {endable === undefined ? (
          <p role="alert">{reason ?? NOTHING_KNOWN}</p>
        ) : (
          <>
            <p>
              In <bdi>{shorten(endable.sequence, LONGEST_LABEL)}</bdi> since{" "}
              <Time date={endable.enrolledAt} format={format} />.
            </p>
            <p>
              This ends the sequence for the contact: remaining emails and tasks are canceled. It can't be
              undone; if enrolled again, the contact starts with the first step. HubSpot needs a minute or
              two.
            </p>
          </>
        )}
        <PostForm action={unenrollPath(story.id)} formToken={frame.formToken} class="actions">
          {endable === undefined ? null : <button class="button primary">Unenroll from sequence</button>}
          <a class="button" href={storyPath(story.id)}>
            Back
          </a>
        </PostForm>
      </section>
    </ActivityFrame>
  );
}
