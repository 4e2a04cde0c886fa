import type { Cause, CauseSubject } from "#domain/history/attention/causes.js";
import { SNOOZE_DAYS } from "#domain/history/attention/snooze.js";
import { Time } from "../frame/connection.js";
import { PostForm } from "../frame/form.js";
import { ForAdmins } from "../session/view-only.js";
import { CODE_WORDS } from "../words/activity-words.js";
import { numbered, type Format } from "../words/format.js";

export const SNOOZE_PATH = "/settings/attention/snooze";
export const WAKE_PATH = "/settings/attention/wake";

interface SnoozeModel {
  cause: Cause;
  format: Format;
  formToken: string;
}

/** Puts a cause aside for some days; one that is aside says until when, and can be shown again. */
export function Snooze({ cause, format, formToken }: SnoozeModel) {
  const { storedCode, subject, snoozedUntil } = cause;
  const key = (
    <>
      <input type="hidden" name="code" value={storedCode} />
      <input type="hidden" name="subject" value={keyOf(subject)} />
    </>
  );
  const name = causeTitle(cause);
  if (snoozedUntil !== null)
    return (
      <>
        <p class="note">
          Until <Time date={snoozedUntil} format={format} />
        </p>
        <ForAdmins>
          <PostForm action={WAKE_PATH} formToken={formToken}>
            {key}
            <button class="button quiet" aria-label={`Show again: ${name}`}>
              Show again
            </button>
          </PostForm>
        </ForAdmins>
      </>
    );
  return (
    <ForAdmins>
      <details class="snooze">
        <summary aria-label={`Snooze: ${name}`}>Snooze</summary>
        <PostForm action={SNOOZE_PATH} formToken={formToken} class="actions">
          {key}
          {SNOOZE_DAYS.map((days) => (
            <button key={days} class="button quiet" name="days" value={days}>
              {numbered(days, "day")}
            </button>
          ))}
        </PostForm>
      </details>
    </ForAdmins>
  );
}

const keyOf = (subject: CauseSubject | null): string =>
  subject === null ? "" : `${subject.kind}:${subject.id}`;

/** The cause as it stands within a sentence. */
export function causeTitle({ code, storedCode, subject }: Cause): string {
  const what = code === null ? storedCode : CODE_WORDS[code];
  const name = subject?.name ?? subject?.id;
  return `${what.slice(0, 1).toLowerCase()}${what.slice(1)}${name === undefined ? "" : ` (${name})`}`;
}
