import { ERROR_SENTENCES, type ErrorCode } from "../../executions/error-codes.js";
import { shorten } from "../frame/format.js";
import { Time } from "../overview/connection.js";
import type { ExecutionStory } from "./execution-story.js";
import { ActivityFrame, type FrameModel } from "./frame.js";
import { OUTCOME_LABELS } from "./outcome.js";
import { ACTIVITY_PATH, storyPath } from "./paths.js";
import { Entries, LONGEST_ADDRESS, StorySteps, type StoryModel } from "./story-steps.js";
import { ACTION_WORDS } from "./words.js";

export interface StoryPageModel extends FrameModel, StoryModel {
  readonly notice: { readonly tone: "good" | "bad"; readonly text: string } | undefined;
}

/** What happened to one contact's call, in order, and what can be done about it. */
export function StoryPage(model: StoryPageModel) {
  const { story, notice, format } = model;
  return (
    <ActivityFrame title={`Execution ${story.id}`} frame={model.frame}>
      <p class="crumb">
        <a href={ACTIVITY_PATH}>Activity</a>
      </p>
      <h1 class="story-title">
        <bdi>{shorten(story.contactEmail ?? `Contact ${story.contactId}`, LONGEST_ADDRESS)}</bdi>{" "}
        <span class={`badge ${story.outcome}`}>{OUTCOME_LABELS[story.outcome]}</span>
      </h1>
      {notice === undefined ? null : (
        <p class={`notice ${notice.tone}`} role={notice.tone === "good" ? "status" : "alert"}>
          {notice.text}
        </p>
      )}
      <Reason story={story} />
      <Actions {...model} />
      <section class="card" aria-labelledby="story-title">
        <div class="card-head">
          <h2 id="story-title">What happened</h2>
          <span class="note">Times in {format.timeZone}</span>
        </div>
        <ol class="story">
          <StorySteps {...model} />
        </ol>
      </section>
      <Retries {...model} />
      <Facts {...model} />
    </ActivityFrame>
  );
}

/** The reason in words and its fix, before everything else: it is what the reader came for. */
function Reason({ story }: { story: ExecutionStory }) {
  const { errorCode, errorMessage, lastProblem, outcome } = story;
  if (errorCode === null) return null;
  const isKnown = Object.hasOwn(ERROR_SENTENCES, errorCode);
  const sentence = isKnown ? ERROR_SENTENCES[errorCode as ErrorCode] : undefined;
  return (
    <section class={`notice ${outcome === "failed" ? "bad" : "wait"}`} aria-label="Reason">
      <p>
        <strong>{errorMessage ?? sentence}</strong>
      </p>
      {lastProblem === null ? null : <p class="quote">HubSpot said: {lastProblem}</p>}
      <p>
        <code>{errorCode}</code> ·{" "}
        <a href={`${ACTIVITY_PATH}?code=${encodeURIComponent(errorCode)}`}>
          All executions that ended with this
        </a>
      </p>
    </section>
  );
}

function Actions({ story, frame: { formToken } }: StoryPageModel) {
  if (story.actions.length === 0) return null;
  return (
    <section class="card" aria-label="Actions">
      {story.actions.map((action) => {
        const words = ACTION_WORDS[action];
        const path = `${storyPath(story.id)}/${action.toLowerCase()}`;
        return (
          <form key={action} method="post" action={path} class="act">
            <input type="hidden" name="form_token" value={formToken} />
            <button class="button" aria-describedby={`about-${action}`}>
              {words.button}
            </button>
            <p class="note" id={`about-${action}`}>
              {words.explained}
            </p>
          </form>
        );
      })}
    </section>
  );
}

function Retries({ story, format }: StoryPageModel) {
  if (story.retriedBy.length === 0) return null;
  return (
    <section class="card" aria-labelledby="retries-title">
      <h2 id="retries-title">Enrolled again by an admin</h2>
      <ul>
        {story.retriedBy.map(({ id, outcome, acceptedAt }) => (
          <li key={String(id)}>
            <a href={storyPath(id)}>Execution {String(id)}</a> of <Time date={acceptedAt} format={format} />:{" "}
            <span class={`badge ${outcome}`}>{OUTCOME_LABELS[outcome]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Facts({ story }: StoryPageModel) {
  const facts: [string, string][] = [
    ["Execution", String(story.id)],
    ["Callback id", story.callbackId],
    ["Contact id", story.contactId],
    ["Workflow id", story.workflowId ?? "–"],
    ["Sequence id", story.sequenceId ?? "–"],
  ];
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">Details</h2>
      <Entries entries={facts} />
      {story.inputs.length === 0 ? null : (
        <>
          <h3>What the step asked for</h3>
          <Entries entries={story.inputs} />
        </>
      )}
    </section>
  );
}
