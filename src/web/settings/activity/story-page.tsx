import { PostForm } from "../frame/fields.js";
import { sentenceOf } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT, OPEN_STATES } from "#domain/contract/execution.js";
import { digestOf, Renewal } from "../frame/renewal.js";
import { Time } from "../frame/connection.js";
import type { ExecutionStory } from "#domain/history/execution-story.js";
import { FixLink } from "../words/fixes.js";
import { ActivityFrame, type FrameModel } from "./frame.js";
import { badgeOf, OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { ACTIVITY_PATH, storyPath, storyPartPath, unenrollPath } from "../words/paths.js";
import { LONGEST_LABEL } from "../words/names.js";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { calledOf, reasonOf, settingsInWords } from "./story-words.js";
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
  const { notice, frame } = model;
  return (
    <ActivityFrame title={titleOf(model)} frame={frame}>
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

/** "Hugo Duarte – not enrolled": ten tabs are told apart by it. */
function titleOf({ story, present }: StoryModel): string {
  return `${calledOf(story)} – ${badgeOf(story, present).toLowerCase()}`;
}

const RENEWED_EVERY = "5s";

/** Renews itself until it is decided and HubSpot knows of it. */
export function Story(model: StoryPartModel) {
  const { story, present, format } = model;
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
        <bdi>{calledOf(story)}</bdi> <span class={`badge ${story.outcome}`}>{badgeOf(story, present)}</span>
      </h1>
      {story.contactName === null || story.contactEmail === null ? null : (
        <p class="note">
          <bdi>{shorten(story.contactEmail, LONGEST_ADDRESS)}</bdi>
        </p>
      )}
      {isOpen ? <Renewal now={present.now} format={format} reload={storyPath(story.id)} /> : null}
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
  const { errorCode, lastProblem, outcome, senderChoice } = story;
  if (errorCode === null) return null;
  const [first] = senderChoice?.chosen === null ? senderChoice.passedOver : [];
  return (
    <section class={`notice ${outcome === "failed" ? "bad" : "wait"}`} aria-label="Reason">
      <p>
        <strong>{reasonOf(story) ?? sentenceOf(errorCode)}</strong>
      </p>
      {lastProblem === null ? null : <p class="quote">{lastProblemWords(lastProblem)}</p>}
      <p>
        <FixLink
          code={errorCode}
          places={{
            ...{ portalId, hubspotUrl, contactId: story.contactId, preset: story.preset, via: first?.via },
            ...{ senderUserId: story.senderUserId, senderName: story.senderName },
          }}
        />
      </p>
      <p>
        <a href={`${ACTIVITY_PATH}?code=${encodeURIComponent(errorCode)}`}>
          See all contacts with this reason
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
          <PostForm key={action} action={path} formToken={formToken} class="act">
            <button class="button" id={`do-${action}`} aria-describedby={`about-${action}`}>
              {words.button}
            </button>
            <p class="note" id={`about-${action}`}>
              {words.explained}
            </p>
          </PostForm>
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

/** Asks what an action like this one would do with the contact now; a form, so that no address shows one's contact. */
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
    <PostForm
      action="/settings/try"
      formToken={formToken}
      isQuestion
      class="card act"
      aria-label="Test again"
    >
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <button class="button" id="ask-now" aria-describedby="about-ask-now">
        Test again
      </button>
      <p class="note" id="about-ask-now">
        Checks the same contact with today's rules and senders. Doesn't enroll anyone.
      </p>
    </PostForm>
  );
}

/** What else came for the same contact. */
function Others({ story, format }: StoryPartModel) {
  const { others, contactId } = story;
  if (others.length === 0) return null;
  return (
    <section class="card" aria-labelledby="others-title">
      <div class="card-head">
        <h2 id="others-title">Other activity for this contact</h2>
        <a class="button quiet" href={`${ACTIVITY_PATH}?contact=${encodeURIComponent(contactId)}`}>
          View all
        </a>
      </div>
      <ul>
        {others.map(({ id, kind, outcome, acceptedAt }) => (
          <li key={String(id)}>
            <a href={storyPath(id)}>{KIND_LABELS[kind]}</a>, <Time date={acceptedAt} format={format} />:{" "}
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
      <h2 id="retries-title">Retries</h2>
      <ul>
        {story.retriedBy.map(({ id, outcome, acceptedAt }) => (
          <li key={String(id)}>
            <a href={storyPath(id)}>Retried</a> <Time date={acceptedAt} format={format} />:{" "}
            <span class={`badge ${outcome}`}>{OUTCOME_LABELS[outcome]}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What the action was set to, in its own words; the numbers that only support needs are folded away. */
function Facts({ story, format }: StoryPartModel) {
  const settings = settingsInWords(story, format);
  const facts: [string, string][] = [
    ["Record ID", String(story.id)],
    ["Callback ID", story.callbackId],
    ["Contact ID", story.contactId],
    ["Workflow ID", story.workflowId ?? "–"],
    ["Sequence ID", story.sequenceId ?? "–"],
    ...(story.enrollmentId === null
      ? []
      : [["Enrollment ID", story.enrollmentId] satisfies [string, string]]),
    ...(story.errorCode === null ? [] : [["Error code", story.errorCode] satisfies [string, string]]),
  ];
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">Action settings</h2>
      {settings.length === 0 ? (
        <p class="note">All settings come from the preset.</p>
      ) : (
        <Entries entries={settings} />
      )}
      <details>
        <summary>Technical details</summary>
        <Entries entries={facts} />
      </details>
    </section>
  );
}
