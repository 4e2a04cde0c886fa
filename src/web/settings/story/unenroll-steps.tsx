import type { ExecutionStory } from "#domain/history/execution-story.js";
import type { UnenrollmentStory } from "#domain/unenroll/unenrollment-story.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import type { Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { Step } from "./step.js";

/** How the contact was taken out of its sequence, as far as it has come; nothing if it is not to be. */
export function UnenrollSteps({ story, format }: { story: ExecutionStory; format: Format }) {
  const { unenrollment } = story;
  if (unenrollment === null) return null;
  const sequence = <bdi>{shorten(unenrollment.sequence, LONGEST_LABEL)}</bdi>;
  return (
    <>
      <Step
        title={story.kind === "ENROLL" ? "Found in another sequence" : "Found in a sequence"}
        format={format}
      >
        <p>
          The contact was in {sequence}
          {story.kind === "ENROLL" ? ", which this enrollment replaces" : ""}.{" "}
          {STEP_WORDS[unenrollment.state]}
        </p>
        {unenrollment.lastProblem === null ? null : (
          <p class="quote">Last problem: {unenrollment.lastProblem}</p>
        )}
      </Step>
      <Stamped unenrollment={unenrollment} format={format} />
      <Left unenrollment={unenrollment} format={format} />
    </>
  );
}

/** What is done now; nothing once it is over. */
const STEP_WORDS: Readonly<Record<UnenrollmentStory["state"], string>> = {
  REQUESTED: "The helper workflow is about to be started for it.",
  STAMPING: "The helper workflow is being started for it.",
  STAMPED: "The helper workflow is at work.",
  CLEARING: "The property that started the helper workflow is being emptied.",
  CLEARED: "",
  DONE: "",
};

interface Part {
  readonly unenrollment: UnenrollmentStory;
  readonly format: Format;
}

function Stamped({ unenrollment: { stampedAt, endedAt }, format }: Part) {
  if (stampedAt === null) return null;
  return (
    <Step title="Helper workflow started" at={stampedAt} format={format}>
      <p>
        By a property of the contact
        {endedAt === null ? (
          ""
        ) : (
          <>
            , emptied again <Time date={endedAt} format={format} />
          </>
        )}
        .
      </p>
    </Step>
  );
}

function Left({ unenrollment: { leftAt, outcome, endedAt, sequence }, format }: Part) {
  const name = <bdi>{shorten(sequence, LONGEST_LABEL)}</bdi>;
  if (leftAt !== null)
    return (
      <Step title="Out of its sequence" at={leftAt} format={format}>
        <p>HubSpot shows that the contact is not in {name} anymore.</p>
      </Step>
    );
  if (outcome === "TIMED_OUT")
    return (
      <Step title="Still in its sequence" format={format}>
        <p>The helper workflow did not take the contact out of {name} in time.</p>
      </Step>
    );
  if (endedAt !== null && outcome === null)
    return (
      <Step title="Given up" at={endedAt} format={format}>
        <p>It was ended before HubSpot showed the contact out of {name}.</p>
      </Step>
    );
  return null;
}
