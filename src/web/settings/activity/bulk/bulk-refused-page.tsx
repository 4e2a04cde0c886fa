import type { AdminAction } from "#domain/history/admin-actions.js";
import type { BulkJobCreation } from "#domain/history/bulk-jobs.js";
import { addressWith, type ActivityQuery } from "#domain/history/activity-query.js";
import { ActivityFrame, type FrameModel } from "../frame.js";
import { ACTIVITY_PATH, jobPath } from "../../words/paths.js";
import { ACTION_WORDS, FIELD_LABELS } from "../../words/activity-words.js";

interface RefusedModel extends FrameModel {
  readonly action: AdminAction;
  readonly query: ActivityQuery;
  /** Why the workers do not take it on; undefined if the filter is the reason. */
  readonly refusal?: Exclude<BulkJobCreation, { kind: "created" }>;
}

/** Nothing was done to many, and why. */
export function BulkRefusedPage({ action, query, refusal, frame }: RefusedModel) {
  const { bulk } = ACTION_WORDS[action];
  const back = addressWith(ACTIVITY_PATH, query.given);
  return (
    <ActivityFrame title={bulk} frame={frame} up={{ href: back, label: "Activity" }}>
      <h1>{bulk}</h1>
      <p class="notice bad" role="alert">
        {refusal === undefined ? fieldsNotUnderstood(query) : REASONS[refusal.kind]} Nothing was changed.
      </p>
      <p class="actions">
        <a class="button primary" href={back}>
          Back to activity
        </a>
        {refusal?.kind === "running" ? (
          <a class="button" href={jobPath(refusal.id)}>
            View progress
          </a>
        ) : null}
      </p>
    </ActivityFrame>
  );
}

const REASONS: Readonly<Record<Exclude<BulkJobCreation["kind"], "created">, string>> = {
  running: "This is already running.",
  "too-many": "Three bulk actions are already running, which is the limit.",
};

function fieldsNotUnderstood({ ignored }: ActivityQuery): string {
  const fields = ignored.map((field) => FIELD_LABELS[field]).join(", ");
  return `We couldn't read part of the filter (${fields}), so this could affect more contacts than you meant. Fix the filter first.`;
}
