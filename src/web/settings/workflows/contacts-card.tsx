import { LEGACY_WORKFLOWS_END } from "#platform/hubspot/legacy-workflow-requests.js";
import type { EnterableFlow } from "#domain/flow-entries/enterable-flows.js";
import type { FlowEntryOutcome } from "#domain/flow-entries/flow-entry.js";
import { MOST_ENTRIES_LISTED, type ListedEntry } from "#domain/flow-entries/list-entries.js";
import { shorten } from "#platform/text/shorten.js";
import { Time } from "../frame/connection.js";
import { SelectField, TextArea } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import type { Frame } from "../frame/shell.js";
import { contactUrl, type FixPlaces } from "../words/fixes.js";
import { LONGEST_LABEL } from "../words/names.js";
import { WORKFLOWS_PATH } from "../words/paths.js";
import type { ContactsForm } from "./contacts-entry.js";

export const CONTACTS_PATH = `${WORKFLOWS_PATH}/contacts`;
export const ENTRIES_ID = "put-in";

interface ContactsModel {
  frame: Frame;
  contacts: ContactsForm;
  /** Workflows that contacts can be put in. */
  enterable: readonly EnterableFlow[];
  entries: readonly ListedEntry[];
  places: FixPlaces;
}

/** The form that puts contacts in a workflow, and what became of those put in lately. */
export function ContactsCard(model: ContactsModel) {
  const { frame, contacts, enterable, entries } = model;
  const { entry, problems } = contacts;
  return (
    <section class="card" id={ENTRIES_ID} aria-labelledby="put-in-title">
      <div class="card-head">
        <h2 id="put-in-title">Add contacts to a workflow</h2>
      </div>
      <ProblemSummary problems={problems} />
      {enterable.length === 0 ? (
        <p class="empty">
          No workflow in this account is turned on. Turn one on in HubSpot, then select “Sync now” above.
        </p>
      ) : (
        <PostForm action={CONTACTS_PATH} formToken={frame.formToken} class="editor">
          <input type="hidden" name="key" value={entry.key} />
          <SelectField
            name="flow"
            label="Workflow"
            value={entry.flow}
            note={<Ways />}
            problems={problems}
            choices={[
              { value: "", label: "Choose a workflow" },
              ...enterable.map(({ flowId, name, isStamped }) => ({
                value: flowId,
                label: `${shorten(name ?? `Workflow ${flowId}`, LONGEST_LABEL)}${isStamped ? " · by contact property" : ""}`,
              })),
            ]}
          />
          <TextArea
            name="contacts"
            label="Contacts"
            value={entry.contacts}
            rows={4}
            note="Record IDs or email addresses, one per line or separated by commas."
            problems={problems}
          />
          <div class="actions">
            <button class="button primary">Add to workflow</button>
          </div>
        </PostForm>
      )}
      <Entries {...model} entries={entries} />
    </section>
  );
}

const endMonth = LEGACY_WORKFLOWS_END.toLocaleDateString("en-US", {
  year: "numeric",
  month: "long",
  timeZone: "UTC",
});

/** How it is done, and how long that works. */
function Ways() {
  return (
    <>
      Workflows that Sequence Enroller's contact property triggers are started by it. All others use HubSpot's
      older API, which HubSpot supports until {endMonth}.
    </>
  );
}

function Entries({ entries, frame, places }: ContactsModel) {
  if (entries.length === 0) return null;
  return (
    <>
      <table class="entries">
        <thead>
          <tr>
            <th scope="col">Contact</th>
            <th scope="col">Workflow</th>
            <th scope="col">When</th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={String(entry.id)}>
              <th scope="row">
                <Contact entry={entry} places={places} />
              </th>
              <td data-label="Workflow">
                <bdi>{shorten(entry.flowName ?? `Workflow ${entry.flowId}`, LONGEST_LABEL)}</bdi>
              </td>
              <td data-label="When">
                <Time date={entry.createdAt} format={frame.format} />
              </td>
              <td data-label="Result" class="wide">
                <Result entry={entry} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {entries.length < MOST_ENTRIES_LISTED ? null : (
        <p class="note">The newest {MOST_ENTRIES_LISTED}. Older ones are kept for 90 days.</p>
      )}
    </>
  );
}

function Contact({ entry: { contact, contactId }, places }: { entry: ListedEntry; places: FixPlaces }) {
  if (contact === null) return <span>Deleted contact</span>;
  const name = <bdi>{shorten(contact, LONGEST_LABEL)}</bdi>;
  if (contactId === null) return name;
  return (
    <a href={contactUrl(places, contactId)} target="_blank" rel="noopener noreferrer">
      {name}
    </a>
  );
}

function Result({ entry: { outcome, message } }: { entry: ListedEntry }) {
  if (outcome === undefined)
    return (
      <>
        <span class="badge waiting">In progress</span>
        {message === null ? null : <span class="line">Last attempt failed: {shorten(message, 300)}</span>}
      </>
    );
  const { label, tone, text } = OUTCOMES[outcome];
  return (
    <>
      <span class={`badge ${tone}`}>{label}</span>
      <span class="line">
        {text}
        {message === null ? null : (
          <>
            {" "}
            HubSpot said: <bdi>{shorten(message, 300)}</bdi>
          </>
        )}
      </span>
    </>
  );
}

const NOT_PUT_IN = { label: "Not added", tone: "failed" };

const OUTCOMES: Readonly<Record<FlowEntryOutcome, { label: string; tone: string; text: string }>> = {
  PUT_IN: {
    label: "Added",
    tone: "enrolled",
    text: "HubSpot accepted the contact. The workflow's settings decide whether a contact can re-enroll.",
  },
  CONTACT_NOT_FOUND: { ...NOT_PUT_IN, text: "HubSpot doesn't have this contact." },
  CONTACT_HAS_NO_EMAIL: {
    ...NOT_PUT_IN,
    text: "The contact has no email address, and HubSpot's older API needs one.",
  },
  WORKFLOW_NOT_FOUND: { ...NOT_PUT_IN, text: "The workflow was deleted in HubSpot." },
  WORKFLOW_OFF: { ...NOT_PUT_IN, text: "The workflow is turned off. Turn it on in HubSpot, then try again." },
  NOT_SUPPORTED: { ...NOT_PUT_IN, text: "HubSpot doesn't allow adding contacts to this workflow." },
  MISSING_SCOPES: {
    ...NOT_PUT_IN,
    text: "A permission is missing. Grant it on the Unenroll page.",
  },
  REFUSED: { ...NOT_PUT_IN, text: "HubSpot rejected it." },
  ANSWER_LOST: {
    label: "Unknown",
    tone: "waiting",
    text: "We didn't get HubSpot's response, so we don't know whether the contact was added. We didn't try again, so no one is added twice. Check the workflow's history.",
  },
  TOO_LATE: { ...NOT_PUT_IN, text: "HubSpot didn't respond for a day." },
};
