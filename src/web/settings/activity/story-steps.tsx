import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { StoredSenderChoice } from "#domain/contract/sender-choice.js";
import type { Format } from "../words/format.js";
import { numbered } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { Time } from "../frame/connection.js";
import { Step } from "./frame.js";
import { HowItEnded } from "./story-end.js";
import type { ExecutionStory } from "#domain/history/execution-story.js";
import { contactUrl, flowUrl, sequenceUrl } from "../words/fixes.js";
import {
  answerWords,
  OUTCOME_LABELS,
  remarkOn,
  waitsFor,
  type Present,
} from "#domain/history/shown-outcome.js";
import { storyPath } from "../words/paths.js";
import { KIND_LABELS, VIA_LABELS } from "../words/activity-words.js";
import { UnenrollSteps } from "./unenroll-steps.js";
import { calledOf, reasonOf, resultsInWords } from "./story-words.js";
import { shorten } from "#platform/text/shorten.js";
import { unnamed } from "#domain/directory/people.js";

/** One execution, and what its story is told with. */
export interface StoryModel {
  readonly story: ExecutionStory;
  readonly portalId: bigint;
  readonly hubspotUrl: string;
  readonly format: Format;
  readonly present: Present;
}

/** Received, who sends and why, the attempts, the result, and how the enrollment ended: as far as it has come. */
export function StorySteps(model: StoryModel) {
  const { story, format } = model;
  return (
    <>
      <Received {...model} />
      <ChosenSender story={story} format={format} />
      <Attempts story={story} format={format} />
      <UnenrollSteps story={story} format={format} />
      <Waiting {...model} />
      <Decided {...model} />
      <Completed {...model} />
      <HowItEnded course={story.course} format={format} />
    </>
  );
}

function Received({ story, portalId, hubspotUrl, format }: StoryModel) {
  const { contactId, kind, retryOf, askedBy } = story;
  const contact = (
    <a href={contactUrl({ hubspotUrl, portalId }, contactId)} target="_blank" rel="noopener noreferrer">
      <bdi>{calledOf(story)}</bdi> ↗
    </a>
  );
  if (retryOf !== null) {
    return (
      <Step title="Retried by an admin" at={story.acceptedAt} format={format}>
        <p>
          Retry of <a href={storyPath(retryOf)}>an earlier attempt</a> for {contact}. We check HubSpot first
          so no one is enrolled twice.
        </p>
      </Step>
    );
  }
  if (askedBy !== null) {
    return (
      <Step title="Asked for" at={story.acceptedAt} format={format}>
        <p>
          By <bdi>{shorten(askedBy, LONGEST_ADDRESS)}</bdi>: “{KIND_LABELS[kind]}” for {contact}.
        </p>
      </Step>
    );
  }
  return (
    <Step title="Received from HubSpot" at={story.acceptedAt} format={format}>
      <p>
        <CallingWorkflow story={story} portalId={portalId} hubspotUrl={hubspotUrl} /> started “
        {KIND_LABELS[kind]}” for {contact}
        {story.sequence === null ? null : (
          <>
            {" "}
            and the sequence <SequenceName story={story} portalId={portalId} hubspotUrl={hubspotUrl} />
          </>
        )}
        .
      </p>
    </Step>
  );
}

/** Linked to HubSpot's editor if it is still there; by its id as long as nothing else is known. */
function CallingWorkflow({
  story,
  portalId,
  hubspotUrl,
}: Pick<StoryModel, "story" | "portalId" | "hubspotUrl">) {
  const { workflowId, workflowName, flowId } = story;
  if (workflowId === null) return <>A workflow</>;
  const name = workflowName === null ? workflowId : <bdi>{shorten(workflowName, LONGEST_LABEL)}</bdi>;
  if (flowId === null) return <>Workflow {name}</>;
  return (
    <>
      Workflow{" "}
      <a href={flowUrl({ hubspotUrl, portalId }, flowId)} target="_blank" rel="noopener noreferrer">
        {name}
      </a>
    </>
  );
}

/** Linked to HubSpot's page of the sequence. */
function SequenceName({
  story,
  portalId,
  hubspotUrl,
}: Pick<StoryModel, "story" | "portalId" | "hubspotUrl">) {
  const { sequence, sequenceId } = story;
  const name = <bdi>{shorten(sequence ?? "", LONGEST_LABEL)}</bdi>;
  if (sequenceId === null) return name;
  return (
    <a href={sequenceUrl({ hubspotUrl, portalId }, sequenceId)} target="_blank" rel="noopener noreferrer">
      {name} ↗
    </a>
  );
}

function ChosenSender({ story, format }: { story: ExecutionStory; format: Format }) {
  const { senderChoice, senderEmail, senderName, senderUserId } = story;
  const sentAs = [senderName, senderEmail]
    .filter((part) => part !== null)
    .map((part) => shorten(part, LONGEST_ADDRESS))
    .join(" · ");
  if (senderChoice === undefined) {
    if (sentAs === "") return null;
    return (
      <Step title="Sender" format={format}>
        <p>
          {story.state === "UNCERTAIN" ? "May have been sent from" : "Sent from"} <bdi>{sentAs}</bdi>
          {senderUserId === null ? null : ` (user ${senderUserId})`}.
        </p>
      </Step>
    );
  }
  const { chosen, passedOver, morePassedOver } = senderChoice;
  return (
    <Step title={chosen === null ? "No available sender" : "Sender chosen"} format={format}>
      {chosen === null ? null : (
        <p>
          <Person story={story} userId={chosen.userId} />: {VIA_LABELS[chosen.via]}
          {chosen.rotationName === undefined ? null : (
            <>
              {" "}
              <bdi>{shorten(chosen.rotationName, LONGEST_LABEL)}</bdi>
            </>
          )}
          .
          {senderEmail === null ? null : (
            <>
              {" "}
              Address: <bdi>{shorten(senderEmail, LONGEST_ADDRESS)}</bdi>.
            </>
          )}
        </p>
      )}
      <PassedOver story={story} passedOver={passedOver} morePassedOver={morePassedOver} format={format} />
    </Step>
  );
}

function PassedOver({
  story,
  passedOver,
  morePassedOver = 0,
  format,
}: Pick<StoredSenderChoice, "passedOver" | "morePassedOver"> & {
  story: ExecutionStory;
  format: Format;
}) {
  if (passedOver.length === 0) return null;
  return (
    <>
      <p>Skipped:</p>
      <ul class="passed-over">
        {passedOver.map(({ userId, via, reason, freeAt }, index) => (
          <li key={index}>
            {userId === undefined ? "No one" : <Person story={story} userId={userId} />} ({VIA_LABELS[via]}):{" "}
            {reason}
            {freeAt === undefined || Number.isNaN(Date.parse(freeAt)) ? null : (
              <>
                {" "}
                Available again <Time date={new Date(freeAt)} format={format} />.
              </>
            )}
          </li>
        ))}
        {morePassedOver === 0 ? null : <li>And {morePassedOver} more.</li>}
      </ul>
    </>
  );
}

/** Leads to the sender's page, where there is one. */
function Person({ story, userId }: { story: ExecutionStory; userId: string }) {
  const name = <bdi>{nameOf(story, userId)}</bdi>;
  return story.people.has(userId) ? <a href={`/settings/senders/${userId}`}>{name}</a> : name;
}

function nameOf({ people }: ExecutionStory, userId: string): string {
  return shorten(people.get(userId) ?? unnamed(userId), LONGEST_LABEL);
}

function Attempts({ story, format }: { story: ExecutionStory; format: Format }) {
  const { attempts, retries, crashes, lastProblem, errorCode, senderChoice } = story;
  // Without a sender nothing was sent to HubSpot.
  const isUnsent = attempts === 1 && senderChoice?.chosen === null && senderChoice.passedOver.length > 0;
  if (attempts === 0 || isUnsent) return null;
  return (
    <Step
      title={attempts === 1 ? "Sent to HubSpot" : `Sent to HubSpot ${attempts} times`}
      at={story.retryOf === null ? story.firstAttemptAt : null}
      format={format}
    >
      {retries === 0 ? null : <p>Waited {numbered(retries, "time")}, longer each time.</p>}
      {crashes === 0 ? null : (
        <p>Interrupted {numbered(crashes, "time")}. We checked HubSpot before sending again.</p>
      )}
      {lastProblem === null || errorCode !== null ? null : <p class="quote">Last problem: {lastProblem}</p>}
    </Step>
  );
}

/** Between two sequences a contact is in none: that is said as long as it lasts. */
function remarkOnWait(story: ExecutionStory, present: Present): string {
  const { kind, state, unenrollment } = story;
  if (kind !== "ENROLL" || unenrollment === null) return remarkOn(story, present);
  if (state === "WATCHING") return "Being taken out of its sequence, to be enrolled then.";
  return unenrollment.leftAt === null
    ? remarkOn(story, present)
    : `${remarkOn(story, present)} The contact is in no sequence meanwhile.`;
}

function Waiting({ story, format, present }: StoryModel) {
  if (story.outcome !== "waiting") return null;
  const waits = waitsFor(story, present);
  // What is being taken out of a sequence is looked at by that, long before it is due itself.
  const isLater =
    story.dueAt.getTime() > present.now.getTime() &&
    !(story.state === "WATCHING" && story.unenrollment !== null);
  // What is wrong with an attempt is told with it.
  const isUnattempted = story.state === "UNCERTAIN" && story.attempts === 0;
  return (
    <Step title="Now" format={format}>
      <p>
        {waits === "scheduled" && story.notBefore !== null ? (
          <>
            Scheduled for <Time date={story.notBefore} format={format} />, as set in the workflow action.
          </>
        ) : (
          remarkOnWait(story, present)
        )}
        {story.pausedAt === null || waits === "held" ? null : " Enrollment is paused."}
        {isLater && waits === undefined ? (
          <>
            {" "}
            Next try: <Time date={story.dueAt} format={format} />.
          </>
        ) : null}{" "}
        Stops trying <Time date={story.deadlineAt} format={format} />.
      </p>
      {isUnattempted && story.lastProblem !== null ? (
        <p class="quote">Last problem: {story.lastProblem}</p>
      ) : null}
    </Step>
  );
}

function Decided({ story, format }: StoryModel) {
  if (story.decidedAt === null) return null;
  const { outcome, enrolledAt, outputs } = story;
  const answer = answerWords(story.answer);
  const tookMs = story.decidedAt.getTime() - story.acceptedAt.getTime();
  return (
    <Step title={OUTCOME_LABELS[outcome]} at={story.decidedAt} format={format}>
      {tookMs < 1_000 ? null : <p class="note">{format.span(tookMs)} after it was received</p>}
      {enrolledAt === null ? null : (
        <p>
          Enrolled <Time date={enrolledAt} format={format} />.
        </p>
      )}
      {answer === undefined ? null : <p>{answer}</p>}
      {story.errorMessage === null ? null : <p>{reasonOf(story)}</p>}
      {outputs.length === 0 ? null : <Entries entries={resultsInWords(outputs, format)} />}
    </Step>
  );
}

const COMPLETION_TITLES: Readonly<Record<string, string>> = {
  DECIDED: "Sending result to HubSpot",
  COMPLETED: "Result sent to HubSpot; workflow continued",
  COMPLETION_REFUSED: "HubSpot didn't accept the result",
  COMPLETION_ABANDONED: "Couldn't reach HubSpot in time",
};

function Completed({ story, format, present }: StoryModel) {
  const title = COMPLETION_TITLES[story.state];
  if (title === undefined) return null;
  if (!story.isHeld) {
    return (
      <Step title="Done" at={story.completedAt} format={format}>
        <p>
          {story.askedBy === null
            ? "The workflow wasn't notified: it had already continued, or there was none."
            : "No workflow is waiting for it."}
        </p>
      </Step>
    );
  }
  const { completionProblem, isTakenOrLetGo } = story;
  const isTaken = story.state === "COMPLETED" && !isTakenOrLetGo;
  const remark = story.state === "COMPLETED" ? "" : remarkOn(story, present);
  return (
    <Step title={title} at={story.completedAt} format={format}>
      {isTakenOrLetGo ? (
        <p>
          We didn't get HubSpot's response, and then it no longer held the contact: it had accepted the
          result, or the workflow had moved on.
        </p>
      ) : null}
      {remark === "" ? null : <p>{remark}</p>}
      {isTaken || completionProblem === null ? null : <p class="quote">Last problem: {completionProblem}</p>}
      {story.completionTries <= 1 ? null : <p>After {story.completionTries} tries.</p>}
    </Step>
  );
}

/** Names and values, as a list. */
export function Entries({ entries }: { entries: readonly (readonly [string, string])[] }) {
  return (
    <dl class="facts">
      {entries.map(([name, value]) => (
        <>
          <dt key={name}>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </>
      ))}
    </dl>
  );
}
