import { ERROR_CODES, factOf, type ErrorCode } from "#domain/contract/error-codes.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { CODE_WORDS } from "../words/activity-words.js";
import { FixLink, type FixPlaces } from "../words/fixes.js";
import { ACTIVITY_PATH, API_DOCS_PATH, HELP_PATH, helpPath } from "../words/paths.js";
import { REASON_HELP } from "./reason-help.js";

/** Where each question is answered on this site. */
const QUESTIONS: readonly { question: string; href: string; label: string }[] = [
  {
    question: "How do I find a contact, and why wasn't it enrolled?",
    href: ACTIVITY_PATH,
    label: "Activity",
  },
  { question: "What would happen to a contact?", href: "/settings/try", label: "Test a contact" },
  { question: "Why can't a sender send?", href: "/settings/senders?show=troubled", label: "Senders" },
  { question: "Which workflows use us?", href: "/settings/workflows", label: "Workflows" },
  { question: "Who changed a setting?", href: "/settings/audit", label: "Audit log" },
  { question: "How does a program enroll contacts?", href: API_DOCS_PATH, label: "API reference" },
];

const KEYS = [
  { keys: "/", does: "Search contacts" },
  { keys: "g then a", does: "Activity" },
  { keys: "g then o", does: "Overview" },
  { keys: "g then s", does: "Senders" },
  { keys: "g then w", does: "Workflows" },
  { keys: "?", does: "This page" },
] as const;

interface HelpModel {
  frame: Frame;
  /** URL of whoever helps; undefined: nobody is named. */
  supportContact: string | undefined;
}

export function HelpPage({ frame, supportContact }: HelpModel) {
  return (
    <SitePage
      title="Help"
      current={HELP_PATH}
      frame={frame}
      lead="Where to find what, what each reason means, and whom to ask."
    >
      <section class="card" aria-labelledby="questions-title">
        <h2 id="questions-title">Where to look</h2>
        <dl class="facts">
          {QUESTIONS.map(({ question, href, label }) => (
            <>
              <dt key={href}>{question}</dt>
              <dd>
                <a href={href}>{label}</a>
              </dd>
            </>
          ))}
        </dl>
      </section>
      <section class="card" aria-labelledby="reasons-title">
        <h2 id="reasons-title">Reasons why a contact is not enrolled</h2>
        <ul class="plain-list">
          {ERROR_CODES.map((code) => (
            <li key={code}>
              <a href={helpPath(code)}>{CODE_WORDS[code]}</a> <span class="note">{factOf(code)}</span>
            </li>
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="keys-title">
        <h2 id="keys-title">Keyboard</h2>
        <dl class="facts">
          {KEYS.map(({ keys, does }) => (
            <>
              <dt key={keys}>
                <kbd>{keys}</kbd>
              </dt>
              <dd>{does}</dd>
            </>
          ))}
        </dl>
      </section>
      <section class="card" aria-labelledby="support-title">
        <h2 id="support-title">Support</h2>
        <p>
          {supportContact === undefined ? (
            "Ask whoever runs Sequence Enroller for you."
          ) : (
            <>
              Contact <a href={supportContact}>{supportContact.replace(/^(?:mailto:|https:\/\/)/, "")}</a>.
            </>
          )}{" "}
          Name the account {frame.portal.portalId.toString()} and the record ID under “Technical details” of
          the contact, or the reference that an error page shows.
        </p>
      </section>
    </SitePage>
  );
}

export function ReasonPage({ frame, code, places }: { frame: Frame; code: ErrorCode; places: FixPlaces }) {
  const { why, steps, retried } = REASON_HELP[code];
  return (
    <SitePage title={CODE_WORDS[code]} current={HELP_PATH} frame={frame} lead={factOf(code)}>
      <section class="card" aria-labelledby="why-title">
        <h2 id="why-title">How it comes about</h2>
        <p>{why}</p>
        <h2>What to do</h2>
        <ol>
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        <p>
          <FixLink code={code} places={places} isButton />{" "}
          <a href={`${ACTIVITY_PATH}?${new URLSearchParams({ code })}`}>See the contacts with this reason</a>
        </p>
        <p class="note">
          {retried
            ? "We try again automatically until the contact's deadline, before this reason is given."
            : "We don't try again automatically: nothing would be different."}{" "}
          Workflows can branch on its code, <code>{code}</code>.
        </p>
      </section>
    </SitePage>
  );
}
