import { PostForm } from "./form.js";
import type { SitePath } from "./navigation.js";
import type { Pause } from "#domain/accounts/portal-pause.js";
import { Time } from "./connection.js";
import { numbered, type Format } from "../words/format.js";

interface PauseBarModel {
  frame: { readonly pause: Pause | undefined; readonly format: Format; readonly formToken: string };
  /** Where to go on after resuming. */
  current: SitePath;
}

/** On every page while enrollment is paused: since when, who paused it and why, until when, what waits, and how to resume. */
export function PauseBar({ frame: { pause, format, formToken }, current }: PauseBarModel) {
  if (pause === undefined) return null;
  const { since, by, waiting, isPartial, firstDeadlineAt, until, reason } = pause;
  return (
    <section class="notice wait pause" aria-label="Pause">
      <p>
        <strong>
          Enrollment was paused <Time date={since} format={format} />
          {by === null ? "" : ` by ${by}`}.
        </strong>{" "}
        {reason === null ? null : (
          <>
            Reason: “<bdi>{reason}</bdi>”.{" "}
          </>
        )}
        {until === null ? null : (
          <>
            Resumes automatically <Time date={until} format={format} />.{" "}
          </>
        )}
        {waiting === 0
          ? "No contacts are waiting."
          : `${isPartial ? `${format.count(waiting)}+ contacts` : numbered(waiting, "contact")} waiting.`}{" "}
        {firstDeadlineAt === null ? null : (
          <>
            First released without being enrolled: <Time date={firstDeadlineAt} format={format} />.
          </>
        )}
      </p>
      <PostForm action="/settings/danger/resume" formToken={formToken}>
        <input type="hidden" name="back" value={current} />
        <button class="button primary">Resume</button>
      </PostForm>
    </section>
  );
}
