import type { ComponentChildren } from "preact";
import type { StoredAlertSettings } from "#domain/alerts/alert-settings.js";
import type { Recipient } from "#domain/alerts/confirmations.js";
import type { AlertChannel } from "#domain/alerts/outbox.js";
import { MOST_RECIPIENTS } from "#domain/alerts/recipients.js";
import { Conflict } from "../words/change-table.js";
import { PostForm, ProblemSummary, TextField } from "../frame/fields.js";
import type { FormState } from "../frame/versioned-form.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { ShownOnce } from "../frame/shown-once.js";
import type { RecentAlert } from "#domain/alerts/recent-alerts.js";
import type { AlertEntry } from "./alerts-entry.js";
import { LastAlertLine, type LastAlertModel } from "./last-alert.js";
import { RecentAlerts } from "./recent-alerts.js";
import { Recipients } from "./recipients.js";

export interface AlertsPageModel {
  frame: Frame;
  saved: StoredAlertSettings;
  form: FormState<AlertEntry>;
  /** The signing secret just made: shown this once. */
  secret: string | undefined;
  last: Readonly<Record<AlertChannel, LastAlertModel>>;
  recent: readonly RecentAlert[];
  /** The addresses alerts are mailed to, and whether each has confirmed that. */
  recipients: readonly Recipient[];
  /** False if the operator has set no mail server. */
  canMail: boolean;
}

export function AlertsPage(model: AlertsPageModel) {
  const { frame } = model;
  return (
    <SitePage
      title="Alerts"
      current="/settings/alerts"
      frame={frame}
      lead="Get notified when something needs attention."
    >
      <section class="card" aria-labelledby="alerts-title">
        <div class="card-head">
          <h2 id="alerts-title">When and where</h2>
        </div>
        <ProblemSummary problems={model.form.problems} />
        <Conflict changes={model.form.conflict} />
        <p>You are told, at most once an hour for each of these:</p>
        <ul class="plain">
          <li>HubSpot no longer lets the app work in this account, or somebody else connects it again.</li>
          <li>HubSpot no longer tells us who the super admins of this account are.</li>
          <li>
            HubSpot refuses senders: no seat, no permission, or no connected inbox. The first is told at once,
            all others of the hour together.
          </li>
          <li>Contacts wait, and at the present pace some will miss their deadline.</li>
          <li>A webhook was turned off because its address no longer answers.</li>
          <li>More contacts are not enrolled within an hour than you say below.</li>
        </ul>
        <AlertsForm {...model} />
      </section>
      <section class="card" aria-labelledby="tests-title">
        <div class="card-head">
          <h2 id="tests-title">Do they arrive?</h2>
        </div>
        <Channel {...model} channel="EMAIL" label="Email" address={model.saved.email}>
          <Recipients recipients={model.recipients} formToken={frame.formToken} format={frame.format} />
        </Channel>
        <Channel {...model} channel="WEBHOOK" label="Webhook" address={model.saved.webhookUrl} />
        <SigningSecret {...model} />
      </section>
      <RecentAlerts alerts={model.recent} format={frame.format} />
    </SitePage>
  );
}

function AlertsForm({ frame, form: { entry, version, problems }, canMail }: AlertsPageModel) {
  return (
    <PostForm action="/settings/alerts" formToken={frame.formToken} id="alerts-form" class="narrow">
      <input type="hidden" name="version" value={version} />
      <TextField
        name="email"
        label="Mail alerts to"
        inputMode="email"
        value={entry.email}
        problems={problems}
        note={
          canMail
            ? `Separate addresses with commas, ${MOST_RECIPIENTS} at most. Leave it empty for no mail.`
            : "The operator of this service has set no mail server, so no mail can be sent. Use a webhook, or ask them."
        }
      />
      <TextField
        name="webhook_url"
        label="Post alerts to this web address"
        inputMode="url"
        value={entry.webhook_url}
        problems={problems}
        note="A message (JSON) is posted there. Leave it empty for none."
      />
      <TextField
        name="failure_count"
        label="Contacts not enrolled in an hour"
        inputMode="numeric"
        value={entry.failure_count}
        problems={problems}
        note="From this many on. Leave it empty for no limit by number."
      />
      <TextField
        name="failure_percent"
        label="Share not enrolled in an hour, in percent"
        inputMode="numeric"
        value={entry.failure_percent}
        problems={problems}
        note="Counts in hours with at least 20 contacts. Leave it empty for no limit by share."
      />
      <button class="button primary">Save</button>
    </PostForm>
  );
}

/** Receivers check by it that a post comes from us. */
function SigningSecret({ frame, saved, secret }: AlertsPageModel) {
  if (saved.webhookUrl === null) return null;
  return (
    <PostForm action="/settings/alerts/secret" formToken={frame.formToken}>
      {secret === undefined ? null : (
        <ShownOnce
          title="New signing secret."
          text={secret}
          note="Copy it to the receiver now: it is not shown again."
        />
      )}
      <p class="note">
        Each post is signed, as the Standard Webhooks say (webhook-id, webhook-timestamp, webhook-signature).
        To check signatures, make a new secret and give it to the receiver; the one before ends at once.
      </p>
      <button class="button">Make a new signing secret</button>
    </PostForm>
  );
}

interface ChannelModel extends AlertsPageModel {
  channel: AlertChannel;
  label: string;
  address: string | null;
  children?: ComponentChildren;
}

function Channel({ frame, last, channel, label, address, children }: ChannelModel) {
  return (
    <div class="channel">
      <h3>{label}</h3>
      <LastAlertLine {...last[channel]} />
      {children}
      {address === null ? (
        <p class="note">No address is set.</p>
      ) : (
        <PostForm action="/settings/alerts/test" formToken={frame.formToken}>
          <input type="hidden" name="channel" value={channel} />
          <button class="button">Send a test {channel === "EMAIL" ? "mail" : "alert"}</button>
        </PostForm>
      )}
    </div>
  );
}
