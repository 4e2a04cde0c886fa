import { sentenceOf } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT, OPEN_STATES, UNKNOWN_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionStory } from "#domain/history/execution-story.js";
import { badgeOf, OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { shorten } from "#platform/text/shorten.js";
import { ActivityFrame, type FrameModel } from "../activity/frame.js";
import { Time } from "../frame/connection.js";
import { digestOf, Renewal } from "../frame/renewal.js";
import { ForAdmins } from "../session/view-only.js";
import { KIND_LABELS, lastProblemWords } from "../words/activity-words.js";
import { calledOf, reasonOf } from "../words/contact-words.js";
import { Email } from "../words/email.js";
import { contactUrl, FallbackLink, FixLink } from "../words/fixes.js";
import { Initials } from "../words/initials.js";
import { LONGEST_LABEL } from "../words/names.js";
import { ACTIVITY_PATH, helpPath, storyPath, storyPartPath } from "../words/paths.js";
import { Neighbors, upTo, type PlaceInList } from "./place-in-list.js";
import { Began, Entries } from "./step.js";
import { Actions } from "./story-actions.js";
import type { StoryModel, StoryPartModel } from "./story-model.js";
import { StorySteps } from "./story-steps.js";
import { settingsInWords } from "./story-words.js";

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
        <Initials of={story} />{" "}
        {story.contactName === null && story.contactEmail !== null ? (
          <Email address={story.contactEmail} />
        ) : (
          <bdi>{calledOf(story)}</bdi>
        )}{" "}
        <span class={`badge ${story.outcome}`}>{badgeOf(story, present)}</span>
        {lastRetry === undefined ? null : (
          <a class="latest" href={storyPath(lastRetry.id)}>
            Retried <span class={`badge ${lastRetry.outcome}`}>{badgeOf(lastRetry, present)}</span>
          </a>
        )}
      </h1>
      <WhoItIs {...model} />
      {isOpen ? <Renewal now={present.now} format={format} reload={storyPath(story.id)} /> : null}
      <Reason {...model} />
      <ForAdmins>
        <Actions {...model} />
      </ForAdmins>
      <section class="card" aria-labelledby="story-title">
        <h2 id="story-title">What happened</h2>
        <ol class="story">
          <Began.Provider value={story.acceptedAt}>
            <StorySteps {...model} />
          </Began.Provider>
        </ol>
      </section>
      <Retries {...model} />
      <Others {...model} />
      <Facts {...model} />
    </div>
  );
}

/** What else is known of the contact, and its record. */
function WhoItIs({ story, portalId, hubspotUrl }: StoryPartModel) {
  const { contactName, contactEmail, contactCompany, contactId } = story;
  const isInHubSpot = contactId !== ERASED_CONTACT && contactId !== UNKNOWN_CONTACT;
  const parts = [
    contactName === null || contactEmail === null ? null : <Email address={contactEmail} />,
    contactCompany === null ? null : <bdi>{shorten(contactCompany, LONGEST_LABEL)}</bdi>,
    isInHubSpot ? (
      <a href={contactUrl({ hubspotUrl, portalId }, contactId)} target="_blank" rel="noopener noreferrer">
        Open in HubSpot ↗
      </a>
    ) : null,
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  return (
    <p class="note" id="who">
      {parts.map((part, index) => (
        <>
          {index === 0 ? "" : " · "}
          {part}
        </>
      ))}
    </p>
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
            portalId,
            hubspotUrl,
            contactId: story.contactId,
            preset: story.preset,
            via: first?.via,
            senderUserId: story.senderUserId,
            senderName: story.senderName,
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
        <Entries entries={facts} canBeCopied />
      </details>
    </section>
  );
}
