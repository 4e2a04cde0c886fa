import { remarkOn, waitsFor, type Present } from "#domain/history/shown-outcome.js";
import { storyPath } from "../words/paths.js";
import type { Format } from "../words/format.js";
import type { Backlog, OldestWaiting } from "#domain/accounts/backlog.js";
import { Time } from "../frame/connection.js";
import { activityAddress } from "../words/activity-address.js";
import { shorten } from "#platform/text/shorten.js";

export interface WaitingModel {
  backlog: Backlog;
  format: Format;
  now: Date;
  isPaused: boolean;
}

/** What {@link WaitingCard} fetches itself again from. */
export const WAITING_PATH = "/settings/waiting";

/** How many wait, and the one that waits longest; with script it stays true by itself. */
export function WaitingCard({ backlog, format, now, isPaused }: WaitingModel) {
  const { undecided, watching, isPartial, oldest, firstDeadlineAt } = backlog;
  const waiting = undecided + watching;
  const shown = (count: number) => `${format.count(count)}${isPartial ? "+" : ""}`;
  return (
    <section
      class="card"
      id="waiting"
      aria-labelledby="waiting-title"
      hx-get={WAITING_PATH}
      hx-trigger="every 10s"
      hx-swap="outerHTML"
    >
      <div class="card-head">
        <h2 id="waiting-title">In progress</h2>
      </div>
      {waiting === 0 ? (
        <p class="empty">No contacts waiting.</p>
      ) : (
        <p>
          <a id="waiting-list" href={activityAddress({ status: "waiting" })}>
            {shown(waiting)} {waiting === 1 ? "contact" : "contacts"} waiting
          </a>
          {watching === 0 ? " to be enrolled." : null}
          {watching > 0 && undecided === 0 ? " for their sequence to end." : null}
          {watching > 0 && undecided > 0
            ? `: ${shown(undecided)} to be enrolled, ${shown(watching)} for their sequence to end.`
            : null}
        </p>
      )}
      {oldest === null ? null : (
        <Oldest oldest={oldest} format={format} present={{ now, isPaused }} hasOthers={undecided > 1} />
      )}
      {firstDeadlineAt === null ||
      oldest === null ||
      isSameMinute(firstDeadlineAt, oldest.deadlineAt) ? null : (
        <p class="note">
          First deadline: <Time date={firstDeadlineAt} format={format} />.
        </p>
      )}
    </section>
  );
}

const LONGEST_PROBLEM = 200;

/** Times are shown by the minute: two that are shown alike are said once. */
function isSameMinute(one: Date, other: Date): boolean {
  return Math.floor(one.getTime() / 60_000) === Math.floor(other.getTime() / 60_000);
}

interface OldestModel {
  oldest: OldestWaiting;
  format: Format;
  present: Present;
  hasOthers: boolean;
}

function Oldest({ oldest, format, present, hasOthers }: OldestModel) {
  const { id, acceptedAt, dueAt, deadlineAt, notBefore, lastProblem } = oldest;
  const { now } = present;
  const standing = { ...oldest, outcome: "waiting" } as const;
  const isScheduled = waitsFor(standing, present) === "scheduled";
  return (
    <p>
      <a id="waiting-oldest" href={storyPath(id)}>
        {hasOthers ? "The oldest" : "This contact"}
      </a>{" "}
      has waited for {format.duration(now.getTime() - acceptedAt.getTime())}.{" "}
      {isScheduled && notBefore !== null ? (
        <>
          Scheduled for <Time date={notBefore} format={format} />, as set in the workflow action.
        </>
      ) : (
        remarkOn(standing, present)
      )}
      {isScheduled || dueAt.getTime() - now.getTime() < 60_000 ? null : (
        <>
          {" "}
          Next try: <Time date={dueAt} format={format} />.
        </>
      )}{" "}
      Deadline: <Time date={deadlineAt} format={format} />. If not enrolled by then, the contact continues in
      the workflow without being enrolled.
      {lastProblem === null ? null : (
        <span class="note line">Last problem: {shorten(lastProblem, LONGEST_PROBLEM)}</span>
      )}
    </p>
  );
}
