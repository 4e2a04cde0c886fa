import { ForAdmins } from "../session/view-only.js";
import { MOST_WEBHOOKS } from "#domain/subscriptions/change-webhooks.js";
import { MOST_COUNTED, type DeliveryFigures } from "#domain/subscriptions/deliveries.js";
import { hostOf, type Webhook } from "#domain/subscriptions/webhook.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { API_DOCS_PATH, webhookPath, WEBHOOKS_PATH } from "../words/paths.js";
import { LONGEST_LABEL } from "../words/names.js";
import { DELIVERY_BADGES, stateOf } from "./webhook-words.js";

export const NEW_WEBHOOK_PATH = `${WEBHOOKS_PATH}/new`;

export interface WebhooksModel {
  readonly frame: Frame;
  readonly webhooks: readonly Webhook[];
  /** By the subscription's id. */
  readonly figures: ReadonlyMap<bigint, DeliveryFigures>;
}

export function WebhooksPage({ frame, webhooks, figures }: WebhooksModel) {
  const isFull = webhooks.length >= MOST_WEBHOOKS;
  return (
    <SitePage
      title="Webhooks"
      current={WEBHOOKS_PATH}
      frame={frame}
      lead="Send events about enrollments to your own programs, as signed POST requests."
    >
      <section class="card" aria-label="Webhooks">
        {webhooks.length === 0 ? (
          <p class="empty">
            <strong>No webhooks yet.</strong> Add your program's URL and choose which events it gets.
          </p>
        ) : (
          <WebhookTable webhooks={webhooks} figures={figures} frame={frame} />
        )}
        {isFull ? <p class="note">An account can have {MOST_WEBHOOKS} webhooks.</p> : null}
        <div class="actions">
          {isFull ? null : (
            <ForAdmins>
              <a class="button primary" href={NEW_WEBHOOK_PATH}>
                Add webhook
              </a>
            </ForAdmins>
          )}
          <a class="button" href={`${API_DOCS_PATH}#webhooks`}>
            How to receive webhooks
          </a>
        </div>
      </section>
    </SitePage>
  );
}

function WebhookTable({ webhooks, figures, frame }: WebhooksModel) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">URL</th>
          <th scope="col">Events</th>
          <th scope="col">Status</th>
          <th scope="col">Last message</th>
          <th scope="col">Waiting</th>
        </tr>
      </thead>
      <tbody>
        {webhooks.map((webhook) => (
          <Row key={String(webhook.id)} webhook={webhook} figures={figures.get(webhook.id)} frame={frame} />
        ))}
      </tbody>
    </table>
  );
}

interface RowModel {
  webhook: Webhook;
  figures: DeliveryFigures | undefined;
  frame: Frame;
}

function Row({ webhook, figures, frame: { format } }: RowModel) {
  const state = stateOf(webhook);
  const waiting = figures?.waiting ?? 0;
  return (
    <tr>
      <td data-label="URL" class="wide">
        <div>
          <a href={webhookPath(webhook.id)}>
            <bdi>{hostOf(webhook)}</bdi>
          </a>
          {webhook.description === "" ? null : (
            <span class="note">
              <bdi>{shorten(webhook.description, LONGEST_LABEL)}</bdi>
            </span>
          )}
        </div>
      </td>
      <td data-label="Events" class="wide">
        <div>
          {webhook.events.map((event) => (
            <code class="line" key={event}>
              {event}
            </code>
          ))}
        </div>
      </td>
      <td data-label="Status">
        <span class={`badge ${state.tone}`}>{state.label}</span>
      </td>
      <td data-label="Last">
        <LastMessage figures={figures} format={format} />
      </td>
      <td data-label="Waiting">
        <span class="count">
          {format.count(waiting)}
          {waiting === MOST_COUNTED ? "+" : ""}
        </span>
      </td>
    </tr>
  );
}

function LastMessage({ figures, format }: Pick<RowModel, "figures"> & Pick<Frame, "format">) {
  const last = figures?.last;
  if (last?.triedAt == null) return <span>None yet</span>;
  return (
    <div>
      {last.state === "PENDING" ? "Not delivered yet" : DELIVERY_BADGES[last.state].label},{" "}
      <Time date={last.triedAt} format={format} />
      {last.problem === null ? null : <span class="note">{last.problem}</span>}
    </div>
  );
}
