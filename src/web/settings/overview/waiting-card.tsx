import { remarkOn } from "#domain/history/shown-outcome.js";
import { storyPath } from "../words/paths.js";
import type { Format } from "../words/format.js";
import type { Backlog, OldestWaiting } from "#domain/accounts/backlog.js";
import { Time } from "../frame/connection.js";
import { activityAddress } from "./overview-cards.js";
import { shorten } from "#platform/text/shorten.js";

export interface WaitingModel {
  backlog: Backlog;
  format: Format;
  now: Date;
}

/** What {@link WaitingCard} fetches itself again from. */
export const WAITING_PATH = "/settings/waiting";

/** How many wait, and the one that waits longest; with script it stays true by itself. */
export function WaitingCard({ backlog, format, now }: WaitingModel) {
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
        <h2 id="waiting-title">Waiting now</h2>
      </div>
      {waiting === 0 ? (
        <p class="empty">Nobody is waiting.</p>
      ) : (
        <p>
          <a id="waiting-list" href={activityAddress({ status: "waiting" })}>
            {shown(waiting)} {waiting === 1 ? "contact waits" : "contacts wait"}
          </a>
          {watching === 0 ? " to be enrolled." : null}
          {watching > 0 && undecided === 0 ? " for their sequence to end." : null}
          {watching > 0 && undecided > 0
            ? `: ${shown(undecided)} to be enrolled, ${shown(watching)} for their sequence to end.`
            : null}
        </p>
      )}
      {oldest === null ? null : <Oldest oldest={oldest} format={format} now={now} />}
      {firstDeadlineAt === null || firstDeadlineAt.getTime() === oldest?.deadlineAt.getTime() ? null : (
        <p class="note">
          The first is released (not enrolled) on <Time date={firstDeadlineAt} format={format} />, unless it
          is enrolled by then.
        </p>
      )}
    </section>
  );
}

const LONGEST_PROBLEM = 200;

function Oldest({ oldest, format, now }: { oldest: OldestWaiting; format: Format; now: Date }) {
  const { id, acceptedAt, dueAt, deadlineAt, lastProblem } = oldest;
  return (
    <p>
      <a id="waiting-oldest" href={storyPath(id)}>
        The oldest
      </a>{" "}
      has waited for {format.duration(now.getTime() - acceptedAt.getTime())}.{" "}
      {remarkOn({ ...oldest, outcome: "waiting" })}
      {dueAt.getTime() - now.getTime() < 60_000 ? null : (
        <>
          {" "}
          Next check: <Time date={dueAt} format={format} />.
        </>
      )}{" "}
      It is released (not enrolled) on <Time date={deadlineAt} format={format} />.
      {lastProblem === null ? null : (
        <span class="note line">Last problem: {shorten(lastProblem, LONGEST_PROBLEM)}</span>
      )}
    </p>
  );
}
