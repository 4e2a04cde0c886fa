import { ERROR_SENTENCES, type ErrorCode } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT, OPEN_STATES } from "#domain/contract/execution.js";
import { digestOf, Renewal } from "../frame/renewal.js";
import { Time } from "../frame/connection.js";
import type { ExecutionStory } from "#domain/history/execution-story.js";
import { FixLink } from "../words/fixes.js";
import { ActivityFrame, type FrameModel } from "./frame.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { ACTIVITY_PATH, storyPath, storyPartPath, unenrollPath } from "../words/paths.js";
import { LONGEST_LABEL } from "../words/names.js";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { Entries, StorySteps, type StoryModel } from "./story-steps.js";
import { ACTION_WORDS, KIND_LABELS, lastProblemWords } from "../words/activity-words.js";
import { shorten } from "#platform/text/shorten.js";

interface StoryPartModel extends StoryModel {
  readonly formToken: string;
}

interface StoryPageModel extends FrameModel, StoryModel {
  readonly notice: { readonly tone: "good" | "bad"; readonly text: string } | undefined;
}

/** What happened to one contact's call, in order, and what can be done about it. */
export function StoryPage(model: StoryPageModel) {
  const { story, notice, frame } = model;
  return (
    <ActivityFrame title={`Execution ${story.id}`} frame={frame}>
      <p class="crumb">
        <a href={ACTIVITY_PATH}>Activity</a>
      </p>
      {notice === undefined ? null : (
        <p class={`notice ${notice.tone}`} role={notice.tone === "good" ? "status" : "alert"}>
          {notice.text}
        </p>
      )}
      <Story {...model} formToken={frame.formToken} />
    </ActivityFrame>
  );
}

const RENEWED_EVERY = "5s";

/** Renews itself until it is decided and HubSpot knows of it. */
export function Story(model: StoryPartModel) {
  const { story, now, format } = model;
  const isOpen = isUnderWay(story);
  const seen = isOpen ? digestOf(story) : "";
  const refresh = isOpen
    ? {
        "hx-get": `${storyPartPath(story.id)}?seen=${seen}`,
        "hx-trigger": `every ${RENEWED_EVERY}`,
        "hx-swap": "outerHTML",
      }
    : {};
  return (
    <div id="story" {...refresh}>
      <h1 class="story-title">
        <bdi>{shorten(story.contactEmail ?? `Contact ${story.contactId}`, LONGEST_ADDRESS)}</bdi>{" "}
        <span class={`badge ${story.outcome}`}>{OUTCOME_LABELS[story.outcome]}</span>
      </h1>
      {isOpen ? <Renewal now={now} format={format} reload={storyPath(story.id)} /> : null}
      <Reason {...model} />
      <Actions {...model} />
      <Unenroll {...model} />
      <AskNow {...model} />
      <section class="card" aria-labelledby="story-title">
        <h2 id="story-title">What happened</h2>
        <ol class="story">
          <StorySteps {...model} />
        </ol>
      </section>
      <Retries {...model} />
      <Others {...model} />
      <Facts {...model} />
    </div>
  );
}

function isUnderWay({ state }: ExecutionStory): boolean {
  return (OPEN_STATES as readonly string[]).includes(state);
}

/** The reason in words and its fix, before everything else: it is what the reader came for. */
function Reason({ story, portalId, hubspotUrl }: StoryPartModel) {
  const { errorCode, errorMessage, lastProblem, outcome } = story;
  if (errorCode === null) return null;
  const isKnown = Object.hasOwn(ERROR_SENTENCES, errorCode);
  const sentence = isKnown ? ERROR_SENTENCES[errorCode as ErrorCode] : undefined;
  return (
    <section class={`notice ${outcome === "failed" ? "bad" : "wait"}`} aria-label="Reason">
      <p>
        <strong>{errorMessage ?? sentence}</strong>
      </p>
      {lastProblem === null ? null : <p class="quote">{lastProblemWords(lastProblem)}</p>}
      <p>
        <FixLink
          code={errorCode}
          places={{
            portalId,
            hubspotUrl,
            contactId: story.contactId,
            senderUserId: story.senderUserId,
          }}
        />
      </p>
      <p>
        <code>{errorCode}</code> ·{" "}
        <a href={`${ACTIVITY_PATH}?code=${encodeURIComponent(errorCode)}`}>
          All executions that ended with this
        </a>
      </p>
    </section>
  );
}

function Actions({ story, formToken }: StoryPartModel) {
  if (story.actions.length === 0) return null;
  return (
    <section class="card" aria-label="Actions">
      {story.actions.map((action) => {
        const words = ACTION_WORDS[action];
        const path = `${storyPath(story.id)}/${action.toLowerCase()}`;
        return (
          <form key={action} method="post" action={path} class="act">
            <input type="hidden" name="form_token" value={formToken} />
            <button class="button" id={`do-${action}`} aria-describedby={`about-${action}`}>
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

/** Leads to the question before the contact is taken out of its sequence. */
function Unenroll({ story: { id, endable } }: StoryPartModel) {
  if (endable === undefined) return null;
  return (
    <section class="card act" aria-label="Unenroll">
      <a class="button" id="unenroll" href={unenrollPath(id)} aria-describedby="about-unenroll">
        Unenroll from sequence
      </a>
      <p class="note" id="about-unenroll">
        Ends the contact's enrollment in <bdi>{shorten(endable.sequence, LONGEST_LABEL)}</bdi>. You are asked
        once more before.
      </p>
    </section>
  );
}

/** Asks what a step like this one would do with the contact now; a form, so that no address shows one's contact. */
function AskNow({ story, formToken }: StoryPartModel) {
  if (story.kind !== "ENROLL" || story.contactId === ERASED_CONTACT) return null;
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
    <form method="post" action="/settings/try" class="card act" aria-label="Try it">
      <input type="hidden" name="form_token" value={formToken} />
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <button class="button" id="ask-now" aria-describedby="about-ask-now">
        Ask what would happen now
      </button>
      <p class="note" id="about-ask-now">
        The same contact and step, by the rules and senders of this moment. Nothing is enrolled by asking.
      </p>
    </form>
  );
}

/** What else came for the same contact. */
function Others({ story, format }: StoryPartModel) {
  const { others, contactId } = story;
  if (others.length === 0) return null;
  return (
    <section class="card" aria-labelledby="others-title">
      <div class="card-head">
        <h2 id="others-title">Other executions of this contact</h2>
        <a class="button quiet" href={`${ACTIVITY_PATH}?contact=${encodeURIComponent(contactId)}`}>
          All of this contact
        </a>
      </div>
      <ul>
        {others.map(({ id, kind, outcome, acceptedAt }) => (
          <li key={String(id)}>
            <a href={storyPath(id)}>{KIND_LABELS[kind]}</a> of <Time date={acceptedAt} format={format} />:{" "}
            <span class={`badge ${outcome}`}>{OUTCOME_LABELS[outcome]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Retries({ story, format }: StoryPartModel) {
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

function Facts({ story }: StoryPartModel) {
  const facts: [string, string][] = [
    ["Execution", String(story.id)],
    ["Callback id", story.callbackId],
    ["Contact id", story.contactId],
    ...(story.workflowName === null ? [] : [["Workflow", story.workflowName] satisfies [string, string]]),
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
