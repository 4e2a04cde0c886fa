import { PostForm } from "../../frame/form.js";
import type { AdminAction } from "#domain/history/admin-actions.js";
import type { BulkJob } from "#domain/history/bulk-jobs.js";
import { numbered, type Format } from "../../words/format.js";
import { Time } from "../../frame/connection.js";
import { addressWith, givenBy, type ActivityQuery } from "#domain/history/activity-query.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import type { ActivityTotals } from "#domain/history/search/activity-totals.js";
import type { BulkPreview } from "#domain/history/bulk-preview.js";
import { ActivityFrame, type FrameModel } from "../frame.js";
import type { Crumb } from "../../frame/shell.js";
import { LONGEST_LABEL } from "../../words/names.js";
import { shorten } from "#platform/text/shorten.js";
import { ACTIVITY_PATH, BULK_PATH, jobPath } from "../../words/paths.js";
import { ACTION_WORDS, CODE_WORDS, describeQuery, type FilterNames } from "../../words/activity-words.js";

export interface ConfirmModel extends FrameModel {
  readonly action: AdminAction;
  readonly query: ActivityQuery;
  /** What the ids of the filter are called. */
  readonly names: FilterNames;
  readonly preview: BulkPreview;
  readonly format: Format;
}

/** Asked before anything is done to many. */
export function ConfirmPage({ action, query, names, preview, format, frame }: ConfirmModel) {
  const words = ACTION_WORDS[action];
  const told = describeQuery(query.given, format, names);
  return (
    <ActivityFrame title={words.bulk} frame={frame} up={listOf(query.given, told)}>
      <h1>{words.bulk}</h1>
      <section class="card">
        <p>
          <strong>{told}</strong>
        </p>
        <p>{words.explained}</p>
        <Preview preview={preview} format={format} />
        <Unchanged preview={preview} />
        <PostForm action={BULK_PATH} formToken={frame.formToken} class="actions">
          <input type="hidden" name="action" value={action.toLowerCase()} />
          {Object.entries(query.given).map(([field, value]) => (
            <input key={field} type="hidden" name={field} value={value} />
          ))}
          {preview.matching === 0 && preview.countedTo === undefined ? null : (
            <button class="button primary">{words.bulk}</button>
          )}
          <a class="button" href={addressWith(ACTIVITY_PATH, query.given)}>
            Back
          </a>
        </PostForm>
      </section>
    </ActivityFrame>
  );
}

/** Back to the list that it is about. */
function listOf(given: ActivityQuery["given"], told: string): Crumb {
  return { href: addressWith(ACTIVITY_PATH, given), label: `Activity: ${told}` };
}

function Preview({ preview: { matching, countedTo }, format }: { preview: BulkPreview; format: Format }) {
  const shown = numbered(matching, "contact");
  if (countedTo === undefined) {
    return <p>{matching === 0 ? "No contacts match." : `This affects ${shown}.`}</p>;
  }
  return (
    <p>
      This affects at least {shown} (counted back to <Time date={countedTo} format={format} />
      ).
    </p>
  );
}

/** Said before a retry: what still holds is met again. */
function Unchanged({ preview: { matching, unchanged } }: { preview: BulkPreview }) {
  const again = unchanged.reduce((sum, { contacts }) => sum + contacts, 0);
  if (again === 0) return null;
  return (
    <div class="notice wait" id="unchanged">
      <p>
        <strong>
          {again === matching && again === 1
            ? "It"
            : again === matching
              ? `All ${again}`
              : `${again} of these`}{" "}
          would fail again for the same reason.
        </strong>{" "}
        Fix the cause first:
      </p>
      <ul>
        {unchanged.map(({ code, sender, contacts }) => (
          <li key={`${code} ${sender?.userId ?? ""}`}>
            {sender === null ? (
              CODE_WORDS[code]
            ) : (
              <a href={`/settings/senders/${sender.userId}`}>
                <bdi>{shorten(sender.name, LONGEST_LABEL)}</bdi>: {lowerFirst(CODE_WORDS[code])}
              </a>
            )}{" "}
            · {numbered(contacts, "contact")}
          </li>
        ))}
      </ul>
    </div>
  );
}

const lowerFirst = (words: string): string => words.slice(0, 1).toLowerCase() + words.slice(1);

export interface JobModel {
  readonly job: BulkJob;
  readonly format: Format;
}

interface ProgressModel extends JobModel {
  /** What became of those that were retried; undefined: none were. */
  readonly results: ActivityTotals | undefined;
  readonly formToken: string;
}

const STATE_LABELS: Readonly<Record<BulkJob["state"], string>> = {
  RUNNING: "In progress",
  DONE: "Done",
  STOPPED: "Stopped",
};

interface JobPageModel extends Omit<ProgressModel, "formToken">, FrameModel {
  readonly names: FilterNames;
}

export function JobPage({ job, results, names, format, frame }: JobPageModel) {
  const { bulk } = ACTION_WORDS[job.action];
  const given = job.filter === null ? undefined : givenBy(job.filter);
  const told = given === undefined ? undefined : describeQuery(given, format, names);
  return (
    <ActivityFrame
      title={bulk}
      frame={frame}
      up={given === undefined ? { href: ACTIVITY_PATH, label: "Activity" } : listOf(given, told ?? "")}
    >
      <h1>{bulk}</h1>
      {told === undefined ? null : <p class="lead">{told}</p>}
      <JobProgress job={job} results={results} format={format} formToken={frame.formToken} />
    </ActivityFrame>
  );
}

/** Renews itself until the job has ended, and all that it retried has its result. */
export function JobProgress({ job, results, format, formToken }: ProgressModel) {
  const isRunning = job.state === "RUNNING";
  const isOpen = results?.outcomes.some(({ outcome }) => outcome === "waiting") ?? false;
  const refresh =
    isRunning || isOpen
      ? {
          "hx-get": `${jobPath(job.id)}/progress`,
          "hx-trigger": isRunning ? "every 1s" : "every 3s",
          "hx-swap": "outerHTML",
        }
      : {};
  return (
    <section class="card" id="job" aria-labelledby="job-title" {...refresh}>
      <h2 id="job-title" aria-live="polite">
        {STATE_LABELS[job.state]}: {format.count(job.changed)} {ACTION_WORDS[job.action].done}
      </h2>
      <p>
        Checked {numbered(job.examined, "record")}
        {job.reachedAt === null ? null : (
          <>
            , back to <Time date={job.reachedAt} format={format} />
          </>
        )}
        . Started by <bdi>{job.userEmail ?? "an admin"}</bdi>, <Time date={job.createdAt} format={format} />
        {job.endedAt === null ? null : (
          <>
            , ended <Time date={job.endedAt} format={format} />
          </>
        )}
        .
      </p>
      {results === undefined ? null : <Results job={job} results={results} format={format} />}
      {job.stoppedReason === null ? null : <p class="notice bad">{job.stoppedReason}</p>}
      {isRunning ? (
        <PostForm action={`${jobPath(job.id)}/stop`} formToken={formToken} class="actions">
          <button class="button" id="stop">
            Stop
          </button>
          <span class="note">Contacts already processed aren't affected.</span>
        </PostForm>
      ) : null}
    </section>
  );
}

/** Which contacts a job retried, as the list's address has them. */
export function retriedBy({ createdAt, endedAt }: BulkJob): Record<string, string> {
  const until = endedAt === null ? {} : { to: new Date(endedAt.getTime() + 1_000).toISOString() };
  return { kind: "ENROLL", retries: "only", since: createdAt.toISOString(), ...until };
}

/** What became of the retries so far; each number leads to its contacts. */
function Results({ job, results: { outcomes, total }, format }: JobModel & { results: ActivityTotals }) {
  const list = retriedBy(job);
  return (
    <p id="results">
      <a href={addressWith(ACTIVITY_PATH, list)}>{numbered(total, "retry", "retries")}</a>:{" "}
      {outcomes.map(({ outcome, count }, index) => (
        <span key={outcome}>
          {index === 0 ? "" : " · "}
          <a href={addressWith(ACTIVITY_PATH, { ...list, status: outcome })}>
            {format.count(count)} {OUTCOME_LABELS[outcome].toLowerCase()}
          </a>
        </span>
      ))}
    </p>
  );
}

/** A running job as a line above the list. */
export function JobLine({ job, format }: JobModel) {
  const { bulk, done } = ACTION_WORDS[job.action];
  return (
    <li>
      <a href={jobPath(job.id)}>{bulk}</a>: {format.count(job.changed)} {done} of{" "}
      {numbered(job.examined, "record")} checked
    </li>
  );
}
