import type { StoredAlertSettings } from "#domain/alerts/alert-settings.js";
import type { Recipient } from "#domain/alerts/confirmations.js";
import type { AlertChannel } from "#domain/alerts/outbox.js";
import { MOST_RECIPIENTS } from "#domain/alerts/recipients.js";
import { Conflict } from "../words/change-table.js";
import type { Change } from "../words/changes.js";
import { SitePage, type Frame } from "../frame/shell.js";
import type { RecentAlert } from "#domain/alerts/recent-alerts.js";
import { LastAlertLine, type LastAlertModel } from "./last-alert.js";
import { RecentAlerts } from "./recent-alerts.js";
import { Recipients } from "./recipients.js";

export type AlertField = "webhook_url" | "email" | "failure_count" | "failure_percent";

/** What was typed and why it cannot be saved. */
export interface AlertEntry {
  typed: Readonly<Record<AlertField, string>>;
  /** A sentence for each field that is wrong. */
  problems: Readonly<Partial<Record<AlertField, string>>>;
  /** The version the form was filled in from: another admin's save in between still shows once this is sent again. */
  version: number;
  /** What another admin saved in the meantime, beside what was typed. */
  conflict?: readonly Change[];
}

export interface AlertsPageModel {
  frame: Frame;
  saved: StoredAlertSettings;
  entry: AlertEntry | undefined;
  /** The signing secret just made: shown this once. */
  secret: string | undefined;
  last: Readonly<Record<AlertChannel, LastAlertModel>>;
  recent: readonly RecentAlert[];
  /** The addresses alerts are mailed to, and whether each has confirmed that. */
  recipients: readonly Recipient[];
  /** False where the operator has set no mail server. */
  canMail: boolean;
}

export function AlertsPage(model: AlertsPageModel) {
  const { frame } = model;
  return (
    <SitePage
      title="Alerts"
      current="/settings/alerts"
      frame={frame}
      lead="Who hears of it when something here needs a person."
    >
      <section class="card" aria-labelledby="alerts-title">
        <div class="card-head">
          <h2 id="alerts-title">When and where</h2>
        </div>
        <Conflict changes={model.entry?.conflict} />
        <p>You are told, at most once an hour for each of these:</p>
        <ul class="plain">
          <li>HubSpot no longer lets the app work in this account, or somebody else connects it again.</li>
          <li>HubSpot no longer tells us who the super admins of this account are.</li>
          <li>
            HubSpot refuses senders: no seat, no permission, or no connected inbox. The first is told at once,
            all others of the hour together.
          </li>
          <li>Contacts wait, and at the present pace some will miss their deadline.</li>
          <li>More contacts are not enrolled within an hour than you say below.</li>
        </ul>
        <AlertsForm {...model} />
      </section>
      <section class="card" aria-labelledby="tests-title">
        <div class="card-head">
          <h2 id="tests-title">Do they arrive?</h2>
        </div>
        <Channel {...model} channel="EMAIL" label="E-mail" address={model.saved.email}>
          <Recipients recipients={model.recipients} formToken={frame.formToken} format={frame.format} />
        </Channel>
        <Channel {...model} channel="WEBHOOK" label="Webhook" address={model.saved.webhookUrl} />
        <SigningSecret {...model} />
      </section>
      <RecentAlerts alerts={model.recent} format={frame.format} />
    </SitePage>
  );
}

function AlertsForm({ frame, saved, entry, canMail }: AlertsPageModel) {
  const shown = entry?.typed ?? {
    webhook_url: saved.webhookUrl ?? "",
    email: saved.email ?? "",
    failure_count: saved.failureCount?.toString() ?? "",
    failure_percent: saved.failurePercent?.toString() ?? "",
  };
  const field = (name: AlertField) => ({ name, value: shown[name], problem: entry?.problems[name] });
  return (
    <form method="post" action="/settings/alerts" id="alerts-form" class="narrow">
      <input type="hidden" name="form_token" value={frame.formToken} />
      <input type="hidden" name="version" value={entry?.version ?? saved.version} />
      <Field {...field("email")} label="Mail alerts to" type="email">
        {canMail
          ? `Several apart by commas, ${MOST_RECIPIENTS} at most. Leave it empty for no mail.`
          : "The operator of this service has set no mail server, so no mail can be sent. Use a webhook, or ask them."}
      </Field>
      <Field {...field("webhook_url")} label="Post alerts to this web address" type="url">
        A message (JSON) is posted there. Leave it empty for none.
      </Field>
      <Field {...field("failure_count")} label="Contacts not enrolled in an hour" type="numeric">
        From this many on. Leave it empty for no limit by number.
      </Field>
      <Field {...field("failure_percent")} label="Share not enrolled in an hour, in percent" type="numeric">
        Counts in hours with at least 20 contacts. Leave it empty for no limit by share.
      </Field>
      <button class="button primary">Save</button>
    </form>
  );
}

/** Receivers check by it that a post comes from us. */
function SigningSecret({ frame, saved, secret }: AlertsPageModel) {
  if (saved.webhookUrl === null) return null;
  return (
    <form method="post" action="/settings/alerts/secret">
      <input type="hidden" name="form_token" value={frame.formToken} />
      {secret === undefined ? null : (
        <p class="notice good" role="status">
          New signing secret: <code id="signing-secret">{secret}</code>. Copy it to the receiver now: it is
          not shown again.
        </p>
      )}
      <p class="note">
        Each post is signed, as the Standard Webhooks say (webhook-id, webhook-timestamp, webhook-signature).
        To check signatures, make a new secret and give it to the receiver; the one before ends at once.
      </p>
      <button class="button">Make a new signing secret</button>
    </form>
  );
}

interface FieldModel {
  name: AlertField;
  label: string;
  /** What a phone's keyboard offers. */
  type: "email" | "url" | "numeric";
  value: string;
  problem: string | undefined;
  children: string;
}

function Field({ name, label, type, value, problem, children }: FieldModel) {
  const id = name.replace("_", "-");
  const wrong = problem === undefined ? {} : { "aria-invalid": "true" as const, autofocus: true };
  const notes = problem === undefined ? `${id}-note` : `${id}-problem ${id}-note`;
  return (
    <>
      <label for={id}>{label}</label>
      <input
        {...{ id, name, value }}
        type="text"
        inputmode={type}
        autocomplete="off"
        spellcheck={false}
        maxLength={2000}
        {...wrong}
        aria-describedby={notes}
      />
      {problem === undefined ? null : (
        <p class="warning" id={`${id}-problem`}>
          {problem}
        </p>
      )}
      <p class="note" id={`${id}-note`}>
        {children}
      </p>
    </>
  );
}

interface ChannelModel extends AlertsPageModel {
  channel: AlertChannel;
  label: string;
  address: string | null;
  children?: unknown;
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
        <form method="post" action="/settings/alerts/test">
          <input type="hidden" name="form_token" value={frame.formToken} />
          <input type="hidden" name="channel" value={channel} />
          <button class="button">Send a test {channel === "EMAIL" ? "mail" : "alert"}</button>
        </form>
      )}
    </div>
  );
}
