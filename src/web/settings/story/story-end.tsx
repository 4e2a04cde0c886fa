import type { ComponentChildren } from "preact";
import type { EnrollmentCourse } from "#domain/ends/known-ends.js";
import { ANSWER_WORDS } from "#domain/history/shown-outcome.js";
import { Time } from "../frame/connection.js";
import type { Format } from "../words/format.js";
import { Step } from "./step.js";

/** How the enrollment ended, or how far it has come, as far as the contact's properties tell. */
export function HowItEnded({ course, format }: { course: EnrollmentCourse | undefined; format: Format }) {
  if (course === undefined) return null;
  const { end, lostBecause, lookedAt } = course;
  if (end !== undefined)
    return (
      <Step title="How it ended" at={end.at} format={format}>
        <p>{ANSWER_WORDS[end.outcome]}</p>
        <Engagements course={course} format={format} />
        <p class="note">
          Seen <Time date={end.notedAt} format={format} /> in the contact's properties in HubSpot.
        </p>
      </Step>
    );
  if (lostBecause !== null)
    return (
      <Step title="How it ended is not known" format={format}>
        <p>{LOST_WORDS[lostBecause]}</p>
        <Engagements course={course} format={format} />
        <LastSeen at={lookedAt} format={format} />
      </Step>
    );
  return <StillInIt course={course} format={format} />;
}

const LOST_WORDS = {
  CONTACT_GONE: "HubSpot does not have the contact anymore.",
  OVERTAKEN: "The contact was enrolled again before HubSpot showed how this enrollment ended.",
  GIVEN_UP: "90 days after the enrollment HubSpot showed no end. The contact is not looked at anymore.",
} as const;

function StillInIt({ course, format }: { course: EnrollmentCourse; format: Format }) {
  const { lookedAt, nextLookAt } = course;
  return (
    <Step title="Still in the sequence" format={format}>
      {lookedAt === null ? (
        <p>
          HubSpot shows how it goes in the contact's properties. They have not been looked at yet since the
          enrollment.
        </p>
      ) : (
        <>
          <Engagements course={course} format={format} />
          <LastSeen at={lookedAt} format={format} />
        </>
      )}
      {nextLookAt === null ? null : (
        <p class="note">
          Next look at the latest <Time date={nextLookAt} format={format} />.
        </p>
      )}
    </Step>
  );
}

function LastSeen({ at, format }: { at: Date | null; format: Format }) {
  if (at === null) return null;
  return (
    <p class="note">
      Last seen <Time date={at} format={format} /> in the contact's properties in HubSpot.
    </p>
  );
}

const DONE = {
  openedAt: "opened an email",
  clickedAt: "clicked a link",
  repliedAt: "replied",
  meetingAt: "booked a meeting",
} as const;

/** What the contact did since the enrollment; nothing said is as good as nothing done. */
function Engagements({ course: { engagement }, format }: { course: EnrollmentCourse; format: Format }) {
  const done = (Object.keys(DONE) as (keyof typeof DONE)[]).flatMap((name) => {
    const at = engagement[name];
    return at === undefined ? [] : [{ name, at }];
  });
  if (done.length === 0) return <p>No opened email, click, reply or booked meeting is shown since.</p>;
  const parts = done.map(({ name, at }, index): ComponentChildren => (
    <>
      {index === 0 ? " " : index === done.length - 1 ? " and " : ", "}
      {DONE[name]} (<Time date={at} format={format} />)
    </>
  ));
  return <p>The contact{parts}.</p>;
}
