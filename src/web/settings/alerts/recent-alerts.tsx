import type { Delivery, RecentAlert } from "#domain/alerts/recent-alerts.js";
import type { AlertChannel, AlertKind } from "#domain/alerts/outbox/alert.js";
import { ALERT_NAMES } from "#domain/alerts/words.js";
import type { Format } from "../words/format.js";
import { Time } from "../frame/connection.js";
import { gatheredWords, isGathered } from "./last-alert.js";
import { shorten } from "#platform/text/shorten.js";

/** A gathered alert can name many; the page it leads to shows them all. */
const LONGEST_MESSAGE = 400;

interface RecentAlertsModel {
  alerts: readonly RecentAlert[];
  /** Channels for which somebody entered an address: nothing waits to be sent by another one. */
  addressed: readonly AlertChannel[];
  /** Kinds that are turned off. */
  off: readonly AlertKind[];
  format: Format;
  now: Date;
}

/** The last alerts, each with what became of it. */
export function RecentAlerts({ alerts, ...shown }: RecentAlertsModel) {
  return (
    <section class="card" aria-labelledby="recent-title">
      <div class="card-head">
        <h2 id="recent-title">Recent alerts</h2>
      </div>
      {alerts.length === 0 ? (
        <p class="empty">No alerts yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Alert</th>
              <th scope="col">Delivery</th>
            </tr>
          </thead>
          <tbody>
            {alerts.map((alert, index) => (
              <Row key={index} alert={alert} {...shown} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Row({
  alert,
  addressed,
  off,
  format,
  now,
}: Omit<RecentAlertsModel, "alerts"> & { alert: RecentAlert }) {
  const { kind, message, page, raisedAt } = alert;
  const wanted = alert.deliveries.filter(
    ({ outcome, channel }) => outcome !== "NOT_WANTED" && (outcome !== null || addressed.includes(channel)),
  );
  return (
    <tr>
      <td data-label="When">
        <Time date={raisedAt} format={format} />
      </td>
      <td data-label="Alert" class="wide">
        <div>
          <strong>{page === null ? ALERT_NAMES[kind] : <a href={page}>{ALERT_NAMES[kind]}</a>}</strong>
          <span class="note">
            <bdi>{shorten(message, LONGEST_MESSAGE)}</bdi>
          </span>
        </div>
      </td>
      <td data-label="Delivery">
        <div>
          {wanted.length > 0 ? null : off.includes(kind) ? "Not sent: turned off." : "Not sent: no address."}
          {wanted.map((delivery) => (
            <span key={delivery.channel} class="line">
              {delivery.channel === "EMAIL" ? "Email" : "Webhook"}:{" "}
              <Outcome delivery={delivery} format={format} now={now} />
            </span>
          ))}
        </div>
      </td>
    </tr>
  );
}

function Outcome({
  delivery,
  format,
  now,
}: Pick<RecentAlertsModel, "format" | "now"> & { delivery: Delivery }) {
  const { outcome, lastProblem, reached, isTried, dueAt } = delivery;
  if (outcome === "SENT")
    return (
      <>
        <span class="good">delivered</span>. {lastProblem}
      </>
    );
  if (outcome === "PARTLY_SENT")
    return (
      <>
        <span class="bad">not delivered to every address</span>. {lastProblem}
      </>
    );
  if (outcome === "FAILED")
    return (
      <>
        <span class="bad">failed</span>. {lastProblem}
      </>
    );
  if (isGathered({ isTried, dueAt }, now)) return <>{gatheredWords(dueAt, format)}</>;
  return lastProblem === null ? (
    <>being sent.</>
  ) : (
    <>
      <span class="bad">not delivered {reached > 0 ? "to every address " : null}yet</span>. {lastProblem}
    </>
  );
}
