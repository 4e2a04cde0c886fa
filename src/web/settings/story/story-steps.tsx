import type { ExecutionStory } from "#domain/history/execution-story.js";
import {
  answerWords,
  OUTCOME_LABELS,
  remarkOn,
  waitsFor,
  type Present,
} from "#domain/history/shown-outcome.js";
import { Time } from "../frame/connection.js";
import { reasonOf } from "../words/contact-words.js";
import { numbered, type Format } from "../words/format.js";
import { Entries, Step } from "./step.js";
import { HowItEnded } from "./story-end.js";
import type { StoryModel } from "./story-model.js";
import { Received } from "./story-received.js";
import { SenderStep } from "./story-sender.js";
import { resultsInWords } from "./story-words.js";
import { UnenrollSteps } from "./unenroll-steps.js";

/** Received, who sends and why, the attempts, the result, and how the enrollment ended: as far as it has come. */
export function StorySteps(model: StoryModel) {
  const { story, format } = model;
  return (
    <>
      <Received {...model} />
      <SenderStep story={story} format={format} />
      <Attempts story={story} format={format} />
      <UnenrollSteps story={story} format={format} />
      <Waiting {...model} />
      <Decided {...model} />
      <Completed {...model} />
      <HowItEnded course={story.course} format={format} />
    </>
  );
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
  return (
    <Step title={OUTCOME_LABELS[outcome]} at={story.decidedAt} format={format}>
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
