import { ForAdmins } from "../session/view-only.js";
import { PostForm } from "../frame/fields.js";
import { sentenceOf } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT, OPEN_STATES } from "#domain/contract/execution.js";
import { digestOf, Renewal } from "../frame/renewal.js";
import { Time } from "../frame/connection.js";
import type { ExecutionStory } from "#domain/history/execution-story.js";
import { FallbackLink, FixLink } from "../words/fixes.js";
import { ActivityFrame, type FrameModel } from "./frame.js";
import { badgeOf, OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { ACTIVITY_PATH, helpPath, storyPath, storyPartPath, unenrollPath } from "../words/paths.js";
import { Neighbors, upTo, type PlaceInList } from "./place-in-list.js";
import type { AdminAction } from "#domain/history/admin-actions.js";
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
  /** Undefined: it was not opened from a list. */
  readonly place: PlaceInList | undefined;
}

/** What happened to one contact's call, in order, and what can be done about it. */
export function StoryPage(model: StoryPageModel) {
  const { notice, frame, place } = model;
  return (
    <ActivityFrame title={titleOf(model)} frame={frame} up={upTo(place, frame.format)}>
      <Neighbors place={place} />
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

/** Renews itself until it is decided and HubSpot knows of it, and so is the last retry. */
export function Story(model: StoryPartModel) {
  const { story, present, format } = model;
  const lastRetry = story.retriedBy.at(-1);
  const isOpen = isUnderWay(story) || lastRetry?.outcome === "waiting";
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
        {lastRetry === undefined ? null : (
          <a class="latest" href={storyPath(lastRetry.id)}>
            Retried <span class={`badge ${lastRetry.outcome}`}>{badgeOf(lastRetry, present)}</span>
          </a>
        )}
      </h1>
      {story.contactName === null || story.contactEmail === null ? null : (
        <p class="note">
          <bdi>{shorten(story.contactEmail, LONGEST_ADDRESS)}</bdi>
        </p>
      )}
      {isOpen ? <Renewal now={present.now} format={format} reload={storyPath(story.id)} /> : null}
      <Reason {...model} />
      <ForAdmins>
        <Actions {...model} />
      </ForAdmins>
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
          isButton
          code={errorCode}
          places={{
            ...{ portalId, hubspotUrl, contactId: story.contactId, preset: story.preset, via: first?.via },
            ...{ senderUserId: story.senderUserId, senderName: story.senderName },
          }}
        />{" "}
        <FallbackLink code={errorCode} preset={story.preset} /> <a href={helpPath(errorCode)}>Learn more</a> ·{" "}
        <a href={`${ACTIVITY_PATH}?code=${encodeURIComponent(errorCode)}`}>
          See all contacts with this reason
        </a>
      </p>
    </section>
  );
}

/** What can be done, the most useful first; what each does is told below, for whoever wants to know before. */
function Actions(model: StoryPartModel) {
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
