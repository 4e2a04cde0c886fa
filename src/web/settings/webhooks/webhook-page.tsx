import { OLD_SECRET_HOURS } from "#domain/subscriptions/change-webhooks.js";
import { LONGEST_DESCRIPTION } from "#domain/subscriptions/webhook-draft.js";
import { WEBHOOK_EVENTS } from "#domain/subscriptions/events.js";
import { FAILING_DAYS } from "#domain/subscriptions/switch-off.js";
import { hostOf, type Webhook } from "#domain/subscriptions/webhook.js";
import { Time } from "../frame/connection.js";
import { CheckBox, Group, TextField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { ShownOnce } from "../frame/shown-once.js";
import type { FormState } from "../frame/versioned-form.js";
import { ChangedBeforeDelete, Conflict } from "../words/change-table.js";
import { API_DOCS_PATH, webhookPath, WEBHOOKS_PATH } from "../words/paths.js";
import { DeliveryList, type DeliveriesModel } from "./delivery-list.js";
import type { WebhookEntry } from "./webhook-entry.js";
import { EVENT_NOTES, OFF_REASONS } from "./webhook-words.js";
import { NEW_WEBHOOK_PATH } from "./webhooks-page.js";

export interface WebhookModel extends FormState<WebhookEntry> {
  readonly frame: Frame;
  /** Undefined for a new one. */
  readonly saved: Webhook | undefined;
  /** Undefined for a new one. */
  readonly deliveries: DeliveriesModel | undefined;
  /** The signing secret just made; undefined on every other page. */
  readonly madeSecret?: string | undefined;
  /** Somebody's change kept it from being deleted. */
  readonly isChangedMeanwhile?: boolean;
}

export function WebhookPage(model: WebhookModel) {
  const { frame, saved, deliveries, madeSecret, problems, conflict } = model;
  return (
    <SitePage
      title={saved === undefined ? "New webhook" : hostOf(saved)}
      current={WEBHOOKS_PATH}
      frame={frame}
    >
      {madeSecret === undefined ? null : (
        <ShownOnce
          title="Your signing secret."
          text={madeSecret}
          note="Copy it now to the program that receives the messages, so it can check that they come from us. It won't be shown again."
        />
      )}
      <ChangedBeforeDelete isShown={model.isChangedMeanwhile === true} />
      {saved === undefined ? null : <Trouble saved={saved} frame={frame} />}
      <ProblemSummary problems={problems} />
      <Conflict changes={conflict} />
      <WebhookForm {...model} />
      {deliveries === undefined ? null : <DeliveryList {...deliveries} />}
      {saved === undefined ? null : <Secret saved={saved} frame={frame} />}
      <div class="actions">
        <a class="button" href={WEBHOOKS_PATH}>
          All webhooks
        </a>
        {saved === undefined ? null : <Ends saved={saved} frame={frame} />}
      </div>
    </SitePage>
  );
}

interface SavedModel {
  saved: Webhook;
  frame: Frame;
}

function Trouble({ saved, frame }: SavedModel) {
  const { status, disabledReason, failingSince, url } = saved;
  if (url === null)
    return (
      <p class="notice bad" role="status">
        <strong>We can't read this webhook's URL,</strong> so nothing is sent. Enter it again and create a new
        signing secret.
      </p>
    );
  if (status === "DISABLED")
    return (
      <div class="notice bad" role="status">
        <p>
          <strong>This webhook is off.</strong> {OFF_REASONS[disabledReason ?? "BY_REQUEST"]} Events that
          happen while it's off aren't sent later.
        </p>
        <Turn saved={saved} frame={frame} to="on" />
      </div>
    );
  if (failingSince === null) return null;
  return (
    <p class="notice wait" role="status">
      Every delivery has failed since <Time date={failingSince} format={frame.format} />. We keep retrying;
      after {FAILING_DAYS} days of failures we turn the webhook off and alert you.
    </p>
  );
}

function Turn({ saved, frame, to }: SavedModel & { to: "on" | "off" }) {
  return (
    <PostForm action={`${webhookPath(saved.id)}/turn`} formToken={frame.formToken}>
      <input type="hidden" name="version" value={saved.version} />
      <button class={to === "on" ? "button" : "button danger"} name="to" value={to}>
        Turn {to}
      </button>
    </PostForm>
  );
}

function WebhookForm({ frame, saved, entry, version, problems }: WebhookModel) {
  const path = saved === undefined ? NEW_WEBHOOK_PATH : webhookPath(saved.id);
  return (
    <PostForm action={path} formToken={frame.formToken} class="card editor">
      <input type="hidden" name="version" value={version} />
      <TextField
        name="url"
        label="URL"
        inputMode="url"
        value={entry.url}
        problems={problems}
        note="An https URL that responds with a status from 200 to 299 within 15 seconds."
      />
      <TextField
        name="description"
        label="Description (optional)"
        value={entry.description}
        problems={problems}
        note={`For you and other admins. At most ${LONGEST_DESCRIPTION} characters.`}
      />
      <Group legend="Events" id="events" problem={problems["events"]}>
        {WEBHOOK_EVENTS.map((event) => (
          <CheckBox
            key={event}
            name="events"
            value={event}
            label={event}
            note={EVENT_NOTES[event]}
            isChecked={entry.events.includes(event)}
          />
        ))}
      </Group>
      <button class="button primary">{saved === undefined ? "Add webhook" : "Save"}</button>
    </PostForm>
  );
}

function Secret({ saved, frame }: SavedModel) {
  return (
    <section class="card" aria-labelledby="secret-title">
      <h2 id="secret-title">Signing secret</h2>
      <p>
        Messages are signed according to the Standard Webhooks specification.{" "}
        <a href={`${API_DOCS_PATH}#webhooks`}>How to verify a signature</a>
      </p>
      {saved.oldSecretUntil === null ? null : (
        <p>
          Until <Time date={saved.oldSecretUntil} format={frame.format} />, messages are also signed with the
          previous secret.
        </p>
      )}
      <details class="confirm">
        <summary>Create a new secret</summary>
        <p>
          For {OLD_SECRET_HOURS} hours, messages are signed with both secrets. Give the new one to your
          program in that time; after that, the current one stops working.
        </p>
        <PostForm action={`${webhookPath(saved.id)}/secret`} formToken={frame.formToken}>
          <button class="button">Create a new secret</button>
        </PostForm>
      </details>
    </section>
  );
}

/** What ends messages for now, or for good. */
function Ends({ saved, frame }: SavedModel) {
  return (
    <>
      {saved.status === "DISABLED" ? null : (
        <details class="confirm">
          <summary>Turn this webhook off</summary>
          <p>Waiting messages are dropped, and events that happen while it's off aren't sent.</p>
          <Turn saved={saved} frame={frame} to="off" />
        </details>
      )}
      <details class="confirm">
        <summary>Delete this webhook</summary>
        <p>Nothing more is sent to it, and its delivery history is deleted.</p>
        <PostForm action={`${webhookPath(saved.id)}/delete`} formToken={frame.formToken}>
          <input type="hidden" name="version" value={saved.version} />
          <button class="button danger">Delete</button>
        </PostForm>
      </details>
    </>
  );
}
