import type { ListedDelivery } from "#domain/subscriptions/deliveries.js";
import type { Webhook } from "#domain/subscriptions/webhook.js";
import { Time } from "../frame/connection.js";
import { PostForm } from "../frame/form.js";
import { digestOf, Renewal } from "../frame/renewal.js";
import type { Format } from "../words/format.js";
import { storyPath, webhookPath } from "../words/paths.js";
import { DELIVERY_BADGES, DELIVERY_FILTERS, type DeliveryFilter } from "./webhook-words.js";

export interface DeliveriesModel {
  readonly webhook: Webhook;
  readonly filter: DeliveryFilter;
  /** Only messages before this one are listed; undefined: the newest. */
  readonly before: bigint | undefined;
  readonly deliveries: readonly ListedDelivery[];
  readonly hasMore: boolean;
  readonly now: Date;
  readonly format: Format;
  readonly formToken: string;
}

/** The messages of a webhook; the newest fetch themselves again, older ones stay as they are under the reader's eyes. */
export function DeliveryList(model: DeliveriesModel) {
  const { webhook, before, deliveries, now, format } = model;
  const refresh =
    before === undefined
      ? {
          "hx-get": addressOf(model, { part: "/deliveries", seen: digestOf(deliveries) }),
          "hx-trigger": deliveries.some(isOnItsWay) ? "every 2s" : "every 10s",
          "hx-swap": "outerHTML",
        }
      : {};
  return (
    <section class="card" id="deliveries" aria-labelledby="deliveries-title" {...refresh}>
      <div class="card-head">
        <h2 id="deliveries-title">Deliveries, last 7 days</h2>
        {webhook.status === "ACTIVE" ? <SendTest {...model} /> : null}
      </div>
      <Filters {...model} />
      {before === undefined ? <Renewal now={now} format={format} reload={addressOf(model, {})} /> : null}
      {deliveries.length === 0 ? <Nothing {...model} /> : <Table {...model} />}
      <Paging {...model} />
    </section>
  );
}

const isOnItsWay = ({ state, tries }: ListedDelivery): boolean => state === "PENDING" && tries <= 1;

/** The page's own address, or that of its list alone, with its choice and its place. */
function addressOf(
  { webhook, filter }: Pick<DeliveriesModel, "webhook" | "filter">,
  { part = "", ...more }: { part?: string; before?: string; seen?: string },
): string {
  const query = new URLSearchParams({
    ...(filter.word !== "" && { state: filter.word }),
    ...more,
  }).toString();
  return `${webhookPath(webhook.id)}${part}${query === "" ? "" : `?${query}`}`;
}

function SendTest({ webhook, formToken }: DeliveriesModel) {
  return (
    <PostForm action={`${webhookPath(webhook.id)}/test`} formToken={formToken}>
      <button class="button quiet">Send test</button>
    </PostForm>
  );
}

function Filters({ webhook, filter }: DeliveriesModel) {
  return (
    <nav class="choice" aria-label="Status of deliveries">
      {DELIVERY_FILTERS.map((one) => (
        <a
          key={one.word}
          href={addressOf({ webhook, filter: one }, {})}
          aria-current={one.word === filter.word ? "true" : undefined}
        >
          {one.label}
        </a>
      ))}
    </nav>
  );
}

function Nothing({ filter, before }: DeliveriesModel) {
  const isAll = filter.state === undefined && before === undefined;
  return (
    <p class="empty">
      {isAll ? "No deliveries yet. Send a test to check the URL." : "No deliveries with this status."}
    </p>
  );
}

function Table(model: DeliveriesModel) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Event</th>
          <th scope="col">Time</th>
          <th scope="col">Status</th>
          <th scope="col">Last response</th>
          <th scope="col">
            <span class="unseen">Resend</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {model.deliveries.map((delivery) => (
          <Row key={String(delivery.id)} delivery={delivery} model={model} />
        ))}
      </tbody>
    </table>
  );
}

interface RowModel {
  delivery: ListedDelivery;
  model: DeliveriesModel;
}

function Row({ delivery, model }: RowModel) {
  const { type, enrollmentId, state, createdAt } = delivery;
  const badge = DELIVERY_BADGES[state];
  return (
    <tr>
      <td data-label="Event" class="wide">
        <div>
          <code>{type}</code>
          {enrollmentId === null ? null : (
            <a class="line" href={storyPath(BigInt(enrollmentId))}>
              Enrollment {enrollmentId}
            </a>
          )}
        </div>
      </td>
      <td data-label="Time">
        <Time date={createdAt} format={model.format} />
      </td>
      <td data-label="Status">
        <span class={`badge ${badge.tone}`}>{badge.label}</span>
      </td>
      <td data-label="Last response" class="wide">
        <LastAnswer delivery={delivery} format={model.format} />
      </td>
      <td data-label="">
        <SendAgain delivery={delivery} model={model} />
      </td>
    </tr>
  );
}

function LastAnswer({ delivery, format }: { delivery: ListedDelivery; format: Format }) {
  const { triedAt, httpStatus, durationMs, answer, problem } = delivery;
  if (triedAt === null) return <div>{problem ?? "Not sent yet."}</div>;
  return (
    <div>
      {problem ?? `Returned ${httpStatus}.`}
      <span class="note">
        {durationMs === null ? null : `After ${lengthOf(durationMs, format)}. `}
        <Tries delivery={delivery} triedAt={triedAt} format={format} />
      </span>
      {answer === null ? null : (
        <details>
          <summary>Response body</summary>
          <pre class="quote">
            <bdi>{answer}</bdi>
          </pre>
        </details>
      )}
    </div>
  );
}

function lengthOf(milliseconds: number, format: Format): string {
  return milliseconds < 1_000 ? `${milliseconds} ms` : format.span(milliseconds);
}

/** Of a message that was taken at once there is nothing to say. */
function Tries({ delivery, triedAt, format }: { delivery: ListedDelivery; triedAt: Date; format: Format }) {
  const { tries, nextTryAt } = delivery;
  if (tries <= 1 && nextTryAt === null) return null;
  return (
    <>
      {`${format.count(tries)} ${tries === 1 ? "attempt" : "attempts"}, last `}
      <Time date={triedAt} format={format} />
      {nextTryAt === null ? null : (
        <>
          ; next <Time date={nextTryAt} format={format} />
        </>
      )}
      .
    </>
  );
}

/** Not while it is being delivered, nor to a webhook that is off. */
function SendAgain({ delivery, model: { webhook, formToken } }: RowModel) {
  if (delivery.state === "PENDING" || webhook.status !== "ACTIVE") return null;
  return (
    <PostForm action={`${webhookPath(webhook.id)}/deliveries/${delivery.id}/again`} formToken={formToken}>
      <button class="button quiet" aria-label={`Resend message ${delivery.messageId}`}>
        Resend
      </button>
    </PostForm>
  );
}

function Paging(model: DeliveriesModel) {
  const { before, hasMore, deliveries } = model;
  const last = deliveries.at(-1);
  if (before === undefined && !hasMore) return null;
  return (
    <nav class="paging" aria-label="Pages">
      {before === undefined ? null : (
        <a class="button" href={addressOf(model, {})}>
          Newest
        </a>
      )}
      {hasMore && last !== undefined ? (
        <a class="button" href={addressOf(model, { before: String(last.id) })}>
          Older
        </a>
      ) : null}
    </nav>
  );
}
