import type { LastAlert } from "#domain/alerts/last-alert.js";
import type { AlertChannel } from "#domain/alerts/outbox/alert.js";
import { ALERT_NAMES } from "#domain/alerts/words.js";
import { numbered, type Format } from "../words/format.js";
import { Time } from "../frame/connection.js";

export const LAST_ALERT_PATH = "/settings/alerts/last";

export interface LastAlertModel {
  alert: LastAlert | undefined;
  channel: AlertChannel;
  format: Format;
  now: Date;
  /** False: nobody has entered one for the channel. */
  hasAddress: boolean;
}

/** How the newest alert of the channel is faring. While it is on its way the line renews itself; without script a reload does. */
export function LastAlertLine(model: LastAlertModel) {
  const { alert, channel } = model;
  const refresh =
    alert?.outcome === null
      ? {
          "hx-get": `${LAST_ALERT_PATH}?channel=${channel}`,
          "hx-trigger": alert.tries === 0 ? "every 2s" : "every 10s",
          "hx-swap": "outerHTML",
        }
      : {};
  return (
    <p class="note last" id={channel === "EMAIL" ? "last-mail" : "last-alert"} role="status" {...refresh}>
      {alert === undefined ? "No alerts yet." : <Outcome {...model} alert={alert} />}
    </p>
  );
}

type OutcomeModel = LastAlertModel & { alert: LastAlert };

function Outcome(model: OutcomeModel) {
  const { alert, format } = model;
  const name = `Last alert: ${alert.kind === "TEST" ? "Test" : `“${ALERT_NAMES[alert.kind]}”`}, `;
  const ended = <Time date={alert.endedAt ?? alert.raisedAt} format={format} />;
  switch (alert.outcome) {
    case "SENT":
      return (
        <>
          {name}
          <span class="good">delivered</span> {ended}. {alert.lastProblem}
        </>
      );
    case "PARTLY_SENT":
      return (
        <>
          {name}
          <span class="bad">not delivered to every address</span> {ended}. {alert.lastProblem}
        </>
      );
    case "FAILED":
      return (
        <>
          {name}
          <span class="bad">failed</span> {ended}. {alert.lastProblem}
        </>
      );
    case "NOT_WANTED":
      return (
        <>
          {name}not sent: no address was set, or this type was turned off ({ended}).
        </>
      );
    case null:
      return <OnItsWay {...model} name={name} />;
  }
}

/** What is due later waits for others like it: it was not tried yet. */
const SOON_MS = 5_000;

/** Whether an alert that is to be sent waits for others like it. */
export const isGathered = ({ isTried, dueAt }: { isTried: boolean; dueAt: Date }, now: Date): boolean =>
  !isTried && dueAt.getTime() > now.getTime() + SOON_MS;

export const gatheredWords = (dueAt: Date, format: Format): string =>
  `waiting until ${format.time(dueAt)} to be sent together with others.`;

function OnItsWay({ name, alert, format, now, hasAddress }: OutcomeModel & { name: string }) {
  if (!hasAddress) return <>{name}not sent: no address.</>;
  if (isGathered({ isTried: alert.tries > 0, dueAt: alert.nextTryAt }, now))
    return (
      <>
        {name}
        {gatheredWords(alert.nextTryAt, format)}
      </>
    );
  if (alert.lastProblem === null) return <>{name}being sent.</>;
  return (
    <>
      {name}
      <span class="bad">not delivered {alert.reached > 0 ? "to every address " : null}yet</span>.{" "}
      {alert.lastProblem} Retrying, {numbered(alert.tries, "try", "tries")} so far, next{" "}
      <Time date={alert.nextTryAt} format={format} />.
    </>
  );
}
