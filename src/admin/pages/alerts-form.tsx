import { LastAlertLine, type LastAlertModel } from "./last-alert.js";

/** What was typed and why it cannot be saved. */
export interface AlertEntry {
  typed: string;
  /** A sentence. */
  problem: string;
  /** The version the form was filled in from: another admin's save in between still shows once this is sent again. */
  version: number;
}

export interface AlertsFormModel {
  savedUrl: string | null;
  version: number;
  entry: AlertEntry | undefined;
  last: LastAlertModel;
  formToken: string;
}

export function AlertsForm({ savedUrl, version, entry, last, formToken }: AlertsFormModel) {
  return (
    <section class="card" aria-labelledby="alerts-title">
      <div class="card-head">
        <h2 id="alerts-title">Alerts</h2>
      </div>
      <form method="post" action="/settings/alerts" id="alerts-form">
        <input type="hidden" name="form_token" value={formToken} />
        <input type="hidden" name="version" value={entry?.version ?? version} />
        <label for="webhook-url">Post alerts to this web address</label>
        <UrlField value={entry?.typed ?? savedUrl ?? ""} problem={entry?.problem} />
        <p class="note" id="webhook-note">
          A message (JSON) is posted there when HubSpot no longer lets the app work in this account. Leave it
          empty for no alerts.
        </p>
      </form>
      <div class="actions">
        <button class="button primary" form="alerts-form">
          Save
        </button>
        {savedUrl === null ? null : (
          <form method="post" action="/settings/alerts/test">
            <input type="hidden" name="form_token" value={formToken} />
            <button class="button">Send a test alert</button>
          </form>
        )}
      </div>
      <LastAlertLine {...last} />
    </section>
  );
}

function UrlField({ value, problem }: { value: string; problem: string | undefined }) {
  const isWrong = problem !== undefined;
  return (
    <>
      <input
        id="webhook-url"
        name="webhook_url"
        type="text"
        inputmode="url"
        autocomplete="off"
        spellcheck={false}
        maxLength={2000}
        value={value}
        aria-invalid={isWrong ? "true" : undefined}
        aria-describedby={isWrong ? "webhook-problem webhook-note" : "webhook-note"}
        autofocus={isWrong}
      />
      {isWrong ? (
        <p class="warning" id="webhook-problem">
          {problem}
        </p>
      ) : null}
    </>
  );
}
