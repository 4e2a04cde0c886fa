import type { Frame } from "../frame/shell.js";
import type { Problems } from "../frame/problems.js";
import type { Nameable } from "../words/names.js";
import type { Explained, Explanation } from "#domain/senders/explanation.js";
import type { CandidateVia, StoredSenderChoice } from "#domain/contract/sender-choice.js";
import { Time } from "../frame/connection.js";
import { TextField } from "../frame/fields.js";
import { ProblemSummary, PostForm } from "../frame/form.js";
import type { StepOffers } from "../step/step-entry.js";
import { StepFields } from "../step/step-fields.js";
import type { TryEntry } from "./try-entry.js";
import { SitePage } from "../frame/shell.js";
import { unnamed } from "#domain/directory/people.js";

const TRY_PATH = "/settings/try";

export interface TryModel {
  frame: Frame;
  entry: TryEntry;
  choices: StepOffers;
  problems: Problems;
  explanation?: Explanation;
}

export function TryPage({ frame, entry, choices, problems, explanation }: TryModel) {
  return (
    <SitePage
      frame={frame}
      current={TRY_PATH}
      title="Test a contact"
      lead="See what would happen to a contact right now. No one is enrolled and no rotation turn is used."
    >
      <ProblemSummary problems={problems} heading="Not tested." />
      {explanation === undefined ? null : (
        <Answer frame={frame} explanation={explanation} nameable={choices.nameable} />
      )}
      <PostForm action={TRY_PATH} formToken={frame.formToken} isQuestion class="card editor" {...BUSY}>
        <TextField
          name="contact"
          label="Contact"
          value={entry.contact}
          note="Email address or contact ID."
          problems={problems}
        />
        <StepFields entry={entry} choices={choices} problems={problems} page={TRY_PATH} />
        <div class="actions">
          <button class="button primary">Run test</button>
          <span class="htmx-indicator note" id="asking" role="status">
            Checking with HubSpot…
          </span>
        </div>
      </PostForm>
    </SitePage>
  );
}

/** With script the page stays while HubSpot is asked, says so and takes no second press; without it, it is a plain form. */
const BUSY = {
  "hx-post": TRY_PATH,
  "hx-target": "#main",
  "hx-select": "#main",
  "hx-swap": "outerHTML show:top",
  "hx-indicator": "#asking",
  "hx-disabled-elt": "find button",
};

interface AnswerModel {
  frame: Frame;
  explanation: Explanation;
  nameable: Nameable;
}

function Answer({ frame, explanation, nameable }: AnswerModel) {
  if (explanation.kind === "contact-not-found")
    return (
      <p class="notice bad" role="alert">
        HubSpot has no such contact. Check the email or the ID.
      </p>
    );
  if (explanation.kind === "hubspot-unavailable")
    return (
      <p class="notice wait" role="alert">
        We couldn't reach HubSpot to look up this contact. Try again in a minute.
      </p>
    );
  return <Verdict frame={frame} explained={explanation} nameable={nameable} />;
}

/** Neither good nor bad: the workflow goes on, and so does the sequence. */
const IN_SEQUENCE = { title: "Already in a sequence.", tone: "wait" };

const DECISIONS: Readonly<Record<Explained["decision"], { title: string; tone: string }>> = {
  enroll: { title: "Would be enrolled.", tone: "good" },
  wait: { title: "Would wait.", tone: "wait" },
  refuse: { title: "Would not be enrolled.", tone: "bad" },
};

function Verdict({ frame, explained, nameable }: { frame: Frame; explained: Explained; nameable: Nameable }) {
  const { contact, policyName, checks, choice, decision, code, sentence } = explained;
  const isInSequence = code === "ALREADY_ENROLLED";
  const { title, tone } = isInSequence ? IN_SEQUENCE : DECISIONS[decision];
  return (
    <section class="card answer" aria-labelledby="answer-title">
      <div class={`notice ${tone}`} role="status">
        <p>
          <strong id="answer-title">{title}</strong> {sentence}{" "}
          {code === undefined ? null : <code>{code}</code>}
        </p>
      </div>
      <p class="note">
        Contact <bdi>{contact.email ?? contact.id}</bdi> · preset <bdi>{policyName}</bdi>
      </p>
      <h2>The contact</h2>
      <ul class="checks-done">
        {checks.map(({ name, verdict, sentence: said }) => (
          <li key={name}>
            <span class={`badge ${VERDICTS[verdict].tone}`}>{VERDICTS[verdict].word}</span>{" "}
            <strong>{name}.</strong> {said}
          </li>
        ))}
      </ul>
      {choice === undefined ? null : <Candidates choice={choice} frame={frame} nameable={nameable} />}
    </section>
  );
}

const VERDICTS = {
  passed: { word: "OK", tone: "enrolled" },
  refused: { word: "Not allowed", tone: "failed" },
  waits: { word: "Waiting", tone: "waiting" },
  unknown: { word: "Not checked", tone: "" },
} as const;

const VIAS: Readonly<Record<CandidateVia, string>> = {
  contact_owner: "contact owner",
  contact_property: "a user property of the contact",
  specific_user: "the user chosen in the action",
  rotation: "next in the rotation",
  kept_sender: "sent to this contact before",
  fallback_rotation: "next in the fallback rotation",
  default_sender: "the default sender",
};

interface CandidatesModel {
  choice: StoredSenderChoice;
  frame: Frame;
  nameable: Nameable;
}

/** Who is considered as sender, in order, and why each is passed over. */
function Candidates({ choice, frame, nameable }: CandidatesModel) {
  const called = (userId: string | undefined) =>
    userId === undefined ? "No one" : (nameable.names.people.get(userId) ?? unnamed(userId));
  const { chosen, passedOver, morePassedOver = 0 } = choice;
  return (
    <>
      <h2>The sender</h2>
      <ol class="checks-done">
        {passedOver.map(({ userId, via, code, reason, freeAt }, index) => (
          <li key={index}>
            <span class="badge failed" title={code}>
              Skipped
            </span>{" "}
            <bdi>{called(userId)}</bdi>, {VIAS[via]}: {reason}
            {freeAt === undefined ? null : (
              <>
                {" "}
                Available again <Time date={new Date(freeAt)} format={frame.format} />.
              </>
            )}
          </li>
        ))}
        {morePassedOver === 0 ? null : <li>{morePassedOver} more are skipped.</li>}
        <Chosen chosen={chosen}>{called(chosen?.userId)}</Chosen>
      </ol>
    </>
  );
}

function Chosen({ chosen, children }: Pick<StoredSenderChoice, "chosen"> & { children: string }) {
  if (chosen !== null)
    return (
      <li>
        <span class="badge enrolled">Chosen</span> <bdi>{children}</bdi>, {VIAS[chosen.via]}
        {chosen.rotationName === undefined ? "." : ` “${chosen.rotationName}”.`}
      </li>
    );
  return (
    <li>
      <span class="badge waiting">No sender</span> No sender left to try.
    </li>
  );
}
