import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { StoredSenderChoice } from "#domain/contract/sender-choice.js";
import { unnamed } from "#domain/directory/people.js";
import type { ExecutionStory } from "#domain/history/execution-story.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { VIA_LABELS } from "../words/activity-words.js";
import type { Format } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { Step } from "./step.js";

/** Who sends and why, and who was passed over. */
export function SenderStep({ story, format }: { story: ExecutionStory; format: Format }) {
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
          {story.state === "UNCERTAIN" ? "May have been sent from" : "Sent from"}{" "}
          {senderUserId === null || senderName === null ? (
            <bdi>{sentAs}</bdi>
          ) : (
            <a href={`/settings/senders/${senderUserId}`}>
              <bdi>{sentAs}</bdi>
            </a>
          )}
          .
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
