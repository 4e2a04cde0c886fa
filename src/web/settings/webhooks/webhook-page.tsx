import { OLD_SECRET_HOURS } from "#domain/subscriptions/change-webhooks.js";
import { LONGEST_DESCRIPTION } from "#domain/subscriptions/webhook-draft.js";
import { WEBHOOK_EVENTS } from "#domain/subscriptions/events.js";
import { FAILING_DAYS } from "#domain/subscriptions/switch-off.js";
import { hostOf, type Webhook } from "#domain/subscriptions/webhook.js";
import { Time } from "../frame/connection.js";
import { CheckBox, Group, PostForm, ProblemSummary, TextField } from "../frame/fields.js";
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
          title="The signing secret."
          text={madeSecret}
          note="Give it to the program that receives the messages: it checks by it that they come from us. It is not shown again."
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
        <strong>The address of this webhook cannot be read,</strong> so nothing is sent. Type it in again and
        make a new signing secret.
      </p>
    );
  if (status === "DISABLED")
    return (
      <div class="notice bad" role="status">
        <p>
          <strong>This webhook is off.</strong> {OFF_REASONS[disabledReason ?? "BY_REQUEST"]} What happens
          meanwhile is not sent later.
        </p>
        <Turn saved={saved} frame={frame} to="on" />
      </div>
    );
  if (failingSince === null) return null;
  return (
    <p class="notice wait" role="status">
      Every try has failed since <Time date={failingSince} format={frame.format} />. Messages are tried again;
      after {FAILING_DAYS} days of this the webhook is turned off, and you get an alert.
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
        label="Address"
        inputMode="url"
        value={entry.url}
        problems={problems}
        note="An https address that answers each message with a status of 200 to 299 within 15 seconds."
      />
      <TextField
        name="description"
        label="Description (optional)"
        value={entry.description}
        problems={problems}
        note={`For you and other admins. At most ${LONGEST_DESCRIPTION} characters.`}
      />
      <Group legend="What it is told" id="events" problem={problems["events"]}>
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
      <button class="button primary">{saved === undefined ? "Add the webhook" : "Save"}</button>
    </PostForm>
  );
}

function Secret({ saved, frame }: SavedModel) {
  return (
    <section class="card" aria-labelledby="secret-title">
      <h2 id="secret-title">Signing secret</h2>
      <p>
        Messages are signed as the Standard Webhooks say.{" "}
        <a href={`${API_DOCS_PATH}#webhooks`}>How to check a signature</a>
      </p>
      {saved.oldSecretUntil === null ? null : (
        <p>
          Until <Time date={saved.oldSecretUntil} format={frame.format} />, messages are also signed with the
          secret before this one.
        </p>
      )}
      <details class="confirm">
        <summary>Make a new secret</summary>
        <p>
          For {OLD_SECRET_HOURS} hours messages are signed with both. Give the new one to the program that
          receives them in that time; after it, the one it has now is no longer used.
        </p>
        <PostForm action={`${webhookPath(saved.id)}/secret`} formToken={frame.formToken}>
          <button class="button">Make a new secret</button>
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
          <p>Messages that wait are given up, and what happens until you turn it on again is not sent.</p>
          <Turn saved={saved} frame={frame} to="off" />
        </details>
      )}
      <details class="confirm">
        <summary>Delete this webhook</summary>
        <p>Nothing is sent to it anymore, and the list of its messages is deleted.</p>
        <PostForm action={`${webhookPath(saved.id)}/delete`} formToken={frame.formToken}>
          <input type="hidden" name="version" value={saved.version} />
          <button class="button danger">Delete</button>
        </PostForm>
      </details>
    </>
  );
}
