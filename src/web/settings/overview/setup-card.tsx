import { ForAdmins } from "../session/view-only.js";
import type { ComponentChildren } from "preact";
import { alertEntryOf } from "../alerts/alerts-entry.js";
import { PostForm } from "../frame/form.js";
import { numbered } from "../words/format.js";
import type { FixPlaces } from "../words/fixes.js";
import { SenderSelect, type SenderFormModel } from "./default-sender-form.js";
import { isDone, SETUP_STEPS, type Setup, type SetupStep } from "./setup.js";

export const SETUP_PATH = "/settings/setup";
export const HIDE_SETUP_PATH = `${SETUP_PATH}/hide`;

export interface SetupModel {
  setup: Setup;
  sender: SenderFormModel;
  places: FixPlaces;
  formToken: string;
}

/** What is left to do until contacts are enrolled; looks again by itself while HubSpot's lists are being read. */
export function SetupCard(model: SetupModel) {
  const { setup, formToken } = model;
  const done = SETUP_STEPS.filter((step) => isDone(step, setup)).length;
  const refresh = setup.isRead
    ? {}
    : { "hx-get": SETUP_PATH, "hx-trigger": "every 3s", "hx-swap": "outerHTML" };
  return (
    <ForAdmins>
      <section class="card setup" id="setup" aria-labelledby="setup-title" {...refresh}>
        <div class="card-head">
          <h2 id="setup-title">Set up Sequence Enroller</h2>
          <span class="note">
            {done} of {SETUP_STEPS.length} done
          </span>
        </div>
        <ol>
          {SETUP_STEPS.map((step) => (
            <li key={step} class={isDone(step, setup) ? "done" : undefined}>
              <span class="mark" role="img" aria-label={isDone(step, setup) ? "Done" : "To do"} />
              <div>
                <Step step={step} {...model} />
              </div>
            </li>
          ))}
        </ol>
        <PostForm action={HIDE_SETUP_PATH} formToken={formToken}>
          <button class="button quiet">Hide this list</button>
        </PostForm>
      </section>
    </ForAdmins>
  );
}

function Step({ step, ...model }: SetupModel & { step: SetupStep }) {
  switch (step) {
    case "connected":
      return <Connected {...model} />;
    case "senders":
      return <Senders {...model} />;
    case "default-sender":
      return <DefaultSender {...model} />;
    case "alerts":
      return <Alerts {...model} />;
    case "workflow":
      return <Workflow {...model} />;
  }
}

function Title({ children }: { children: ComponentChildren }) {
  return <strong>{children}</strong>;
}

function Connected({ setup: { isRead, sequences, users } }: SetupModel) {
  return (
    <>
      <Title>Connected to HubSpot</Title>{" "}
      <span class="note">
        {isRead
          ? `${numbered(sequences, "sequence")}, ${numbered(users, "user")} found.`
          : "Reading your sequences and users. This takes up to a minute."}
      </span>
    </>
  );
}

function Senders({ setup: { isRead, users, troubled } }: SetupModel) {
  if (!isRead) return <Title>Users who can send</Title>;
  return (
    <>
      <Title>
        {users - troubled} of {numbered(users, "user")} can send
      </Title>{" "}
      {troubled === 0 ? (
        <span class="note">Unless HubSpot says otherwise at the first contact.</span>
      ) : (
        <a href="/settings/senders?show=troubled">See who can't</a>
      )}
    </>
  );
}

function DefaultSender({ setup, sender, formToken }: SetupModel) {
  if (setup.hasDefaultSender) return <Title>Default sender chosen</Title>;
  return (
    <>
      <Title>Choose a default sender</Title>{" "}
      <span class="note">Without one, actions that leave the sender to the preset can't enroll anyone.</span>
      {sender.senders.people.length === 0 ? null : (
        <PostForm action="/settings/default-sender" formToken={formToken} class="inline-form">
          <input type="hidden" name="version" value={sender.current.version} />
          <label class="unseen" for="setup-sender">
            Default sender
          </label>
          <SenderSelect {...sender} id="setup-sender" />
          <button class="button">Save</button>
        </PostForm>
      )}
    </>
  );
}

function Alerts({ setup: { alerts, canMail }, formToken }: SetupModel) {
  if (alerts.email !== null || alerts.webhookUrl !== null) return <Title>Alerts are on</Title>;
  const { email: _, kinds: __, ...others } = alertEntryOf(alerts);
  return (
    <>
      <Title>Get alerts</Title>{" "}
      <span class="note">When a sender can't send, or many contacts aren't enrolled.</span>
      {canMail ? (
        <PostForm action="/settings/alerts" formToken={formToken} class="inline-form">
          <input type="hidden" name="version" value={alerts.version} />
          {Object.entries(others).map(([name, value]) => (
            <input key={name} type="hidden" name={name} value={value} />
          ))}
          <label class="unseen" for="setup-email">
            Email for alerts
          </label>
          <input
            type="text"
            inputMode="email"
            id="setup-email"
            name="email"
            placeholder="you@company.com"
            autocomplete="email"
          />
          <button class="button">Save</button>
        </PostForm>
      ) : (
        <p>
          <a href="/settings/alerts">Add a webhook</a>
        </p>
      )}
    </>
  );
}

function Workflow({ setup: { isInWorkflow, nativeWorkflows }, places }: SetupModel) {
  if (isInWorkflow) return <Title>The action is in a workflow</Title>;
  return (
    <>
      <Title>Add “Enroll in sequence” to a workflow</Title>{" "}
      <span class="note">
        In a contact workflow in HubSpot, add an action, choose Sequence Enroller, then turn the workflow on.
        {nativeWorkflows.length === 0
          ? ""
          : ` HubSpot's own enroll action is used by: ${nativeWorkflows.join(", ")}.`}
      </span>
      <p class="actions">
        <a
          class="button"
          href={`${places.hubspotUrl}/workflows/${places.portalId}`}
          target="_blank"
          rel="noopener noreferrer"
        >
          Open workflows in HubSpot ↗
        </a>
        <a class="button" href="/settings/workflows/new">
          Have one made
        </a>
        <a class="button" href="/settings/try">
          Test a contact first
        </a>
      </p>
    </>
  );
}
