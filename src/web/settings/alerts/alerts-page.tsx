import type { ComponentChildren } from "preact";
import {
  SWITCHABLE_ALERTS,
  type StoredAlertSettings,
  type SwitchableAlert,
} from "#domain/alerts/alert-settings.js";
import type { Recipient } from "#domain/alerts/confirmations.js";
import type { AlertChannel } from "#domain/alerts/outbox/alert.js";
import { MOST_RECIPIENTS } from "#domain/alerts/recipients.js";
import { Conflict } from "../words/change-table.js";
import { CheckBox, Group, SelectField, TextField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
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
          <h2 id="alerts-title">Notifications</h2>
        </div>
        <ProblemSummary problems={model.form.problems} />
        <Conflict changes={model.form.conflict} />
        <AlertsForm {...model} />
      </section>
      <section class="card" aria-labelledby="tests-title">
        <div class="card-head">
          <h2 id="tests-title">Test delivery</h2>
        </div>
        <Channel {...model} channel="EMAIL" label="Email" address={model.saved.email}>
          <Recipients recipients={model.recipients} formToken={frame.formToken} format={frame.format} />
        </Channel>
        <Channel {...model} channel="WEBHOOK" label="Webhook" address={model.saved.webhookUrl} />
        <SigningSecret {...model} />
      </section>
      <RecentAlerts
        alerts={model.recent}
        addressed={addressedBy(model.saved)}
        off={model.saved.offKinds}
        format={frame.format}
        now={model.last.EMAIL.now}
      />
    </SitePage>
  );
}

function addressedBy({ email, webhookUrl }: StoredAlertSettings): AlertChannel[] {
  return [
    ...(email === null ? [] : (["EMAIL"] as const)),
    ...(webhookUrl === null ? [] : (["WEBHOOK"] as const)),
  ];
}

function AlertsForm({ frame, form: { entry, version, problems }, canMail }: AlertsPageModel) {
  return (
    <PostForm action="/settings/alerts" formToken={frame.formToken} id="alerts-form" class="narrow">
      <input type="hidden" name="version" value={version} />
      <TextField
        name="email"
        label="Email"
        inputMode="email"
        value={entry.email}
        problems={problems}
        isDisabled={!canMail && entry.email === ""}
        note={
          canMail
            ? `Separate up to ${MOST_RECIPIENTS} addresses with commas. Leave blank for no email.`
            : "Email isn't set up on this server. Use a webhook, or ask your administrator."
        }
      />
      <TextField
        name="webhook_url"
        label="Webhook URL"
        inputMode="url"
        value={entry.webhook_url}
        problems={problems}
        note="We send a JSON POST request to this URL. An incoming webhook of Slack or Microsoft Teams gets a message that shows there. Leave blank for none."
      />
      <TextField
        name="failure_count"
        label="Alert at this many failures per hour"
        inputMode="numeric"
        value={entry.failure_count}
        problems={problems}
        note="Leave blank to turn off."
      />
      <TextField
        name="failure_percent"
        label="Alert at this failure rate (%)"
        inputMode="numeric"
        value={entry.failure_percent}
        problems={problems}
        note="Applies when at least 20 contacts were processed in the hour. Leave blank to turn off."
      />
      <SelectField
        name="digest"
        label="Summary"
        value={entry.digest}
        choices={[
          { value: "", label: "None" },
          { value: "DAILY", label: "Daily: yesterday, at 8 AM" },
          { value: "WEEKLY", label: "Weekly: last week, on Mondays at 8 AM" },
        ]}
        problems={problems}
        note={`What was enrolled, what wasn't and why, and who is near their cap. Sent to the addresses above, by the clock of ${frame.format.timeZone}.`}
      />
      <Kinds kinds={entry.kinds ?? []} />
      <button class="button primary">Save</button>
    </PostForm>
  );
}

const KIND_LABELS: Readonly<Record<SwitchableAlert, string>> = {
  SENDER_REFUSED: "A sender can't send (no inbox, seat, or permission)",
  BACKLOG_LATE: "Contacts are backed up, and some will miss their deadline",
  HOLDS_CUT_SHORT: "HubSpot released contacts before their wait was over",
  UNENROLL_BROKEN: "Contacts can't be unenrolled",
  WEBHOOK_OFF: "A webhook was turned off because its URL no longer responds",
  SERVICE_FAULT: "A problem on our end keeps contacts waiting",
};

function Kinds({ kinds }: { kinds: readonly string[] }) {
  return (
    <Group
      legend="Alert me when"
      note="At most once an hour per type. You're always alerted when the account is disconnected, is reconnected by another user, or will be deleted, and when we can no longer see who its super admins are."
    >
      <input type="hidden" name="asks_kinds" value="yes" />
      {SWITCHABLE_ALERTS.map((kind) => (
        <CheckBox
          key={kind}
          name="kinds"
          value={kind}
          label={KIND_LABELS[kind]}
          isChecked={kinds.includes(kind)}
        />
      ))}
    </Group>
  );
}

/** Receivers check by it that a post comes from us. */
function SigningSecret({ frame, saved, secret }: AlertsPageModel) {
  if (saved.webhookUrl === null) return null;
  return (
    <PostForm action="/settings/alerts/secret" formToken={frame.formToken}>
      {secret === undefined ? null : (
        <ShownOnce title="New signing secret." text={secret} note="Copy it now: it won't be shown again." />
      )}
      <p class="note">
        Each request is signed as in Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature). To
        check signatures, create a new secret and give it to the receiver. The old one stops working right
        away.
      </p>
      <button class="button">Create a new signing secret</button>
    </PostForm>
  );
}

interface ChannelModel extends AlertsPageModel {
  channel: AlertChannel;
  label: string;
  address: string | null;
  children?: ComponentChildren;
}

function Channel({ frame, last, channel, label, address, canMail, children }: ChannelModel) {
  const cannotSend = channel === "EMAIL" && !canMail;
  return (
    <div class="channel">
      <h3>{label}</h3>
      <LastAlertLine {...last[channel]} />
      {children}
      {address === null ? (
        <p class="note">Not set up.</p>
      ) : (
        <PostForm action="/settings/alerts/test" formToken={frame.formToken}>
          <input type="hidden" name="channel" value={channel} />
          <button class="button" disabled={cannotSend}>
            Send test {channel === "EMAIL" ? "email" : "webhook"}
          </button>
          {cannotSend ? <p class="note">This server can't send email. Ask whoever runs it.</p> : null}
        </PostForm>
      )}
    </div>
  );
}
