import { ForAdmins } from "../session/view-only.js";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { ExecutionItem } from "#domain/history/execution-item.js";
import { contactUrl } from "../words/fixes.js";
import { storyPath } from "../words/paths.js";
import { CODE_WORDS, KIND_LABELS, lastProblemWords } from "../words/activity-words.js";
import { calledOf, reasonOf } from "../words/contact-words.js";
import { addressWith, type ActivityQuery } from "#domain/history/activity-query.js";
import type { ErrorCode } from "#domain/contract/error-codes.js";
import type { Format } from "../words/format.js";
import {
  ANSWER_WORDS,
  badgeOf,
  OUTCOME_LABELS,
  remarkOn,
  type Present,
} from "#domain/history/shown-outcome.js";
import { ERASED_CONTACT, UNKNOWN_CONTACT } from "#domain/contract/execution.js";
import { Email } from "../words/email.js";
import { Time } from "../frame/connection.js";
import { PostForm } from "../frame/form.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { Initials } from "../words/initials.js";
import { Pick } from "./selection.js";
import { shorten } from "#platform/text/shorten.js";

export interface ContactListModel {
  items: readonly ExecutionItem[];
  portalId: PortalId;
  /** Origin of the account's HubSpot UI, for links to contacts. */
  hubspotUrl: string;
  format: Format;
  present: Present;
  formToken: string;
  /** The list's filter: stories lead back to it. */
  given: ActivityQuery["given"];
}

/** Whole on the execution's own page. */
const LONGEST_NAME = 120;
const LONGEST_REASON = 400;

/** What happened to each contact; on a narrow screen each row is a block whose cells name themselves. */
export function ContactList(model: ContactListModel) {
  return (
    <table class="contacts">
      <thead>
        <tr>
          <th scope="col">Contact</th>
          <th scope="col">Result</th>
          <th scope="col">Reason</th>
          <th scope="col">Sequence</th>
          <th scope="col">Sender</th>
          <th scope="col">Time</th>
          <th scope="col">
            <span class="unseen">Action</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {model.items.map((item) => (
          <Row key={String(item.id)} item={item} model={model} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ item, model }: { item: ExecutionItem; model: ContactListModel }) {
  return (
    <tr>
      <td data-label="Contact" class="wide">
        <div class="pick">
          <Pick item={item} />
          <Initials of={item} />
          <div>
            <Contact item={item} model={model} />
          </div>
        </div>
      </td>
      <td data-label="Result">
        <span class={`badge ${item.outcome}`}>{badgeOf(item, model.present)}</span>
        <Retry item={item} given={model.given} format={model.format} />
      </td>
      <Reason item={item} present={model.present} />
      <td data-label="Sequence">
        <bdi class="clamp">{shorten(item.sequence ?? "–", LONGEST_NAME)}</bdi>
        {item.kind === "ENROLL" ? null : <span class="note">{KIND_LABELS[item.kind]}</span>}
        {item.workflowName === null ? null : (
          <span class="note">
            Workflow <bdi>{shorten(item.workflowName, LONGEST_NAME)}</bdi>
          </span>
        )}
      </td>
      <td
        data-label="Sender"
        class={item.senderName === null && item.senderEmail === null ? "wide nothing" : "wide"}
      >
        <Sender item={item} />
      </td>
      <td data-label="Time" class="time">
        <Time date={item.acceptedAt} format={model.format} />
      </td>
      <td data-label="" class="act-cell">
        <TryAgain item={item} formToken={model.formToken} />
      </td>
    </tr>
  );
}

/** Reasons that the same attempt would meet again whoever tries: the contact's own choice, or the account's. */
const LASTING: readonly string[] = ["UNSUBSCRIBED", "BOUNCED", "INVALID_INPUT", "COOLDOWN_ACTIVE", "BLOCKED"];

/** One click beside what failed and may succeed now; everything else is done from the story. */
function TryAgain({ item, formToken }: { item: ExecutionItem; formToken: string }) {
  const { id, kind, outcome, errorCode, retry, retryOf, contactId, sequenceId } = item;
  const isFailed = kind === "ENROLL" && outcome === "failed" && retryOf === null && retry === null;
  if (!isFailed || contactId === ERASED_CONTACT || sequenceId === null) return null;
  if (LASTING.includes(errorCode ?? "")) return null;
  return (
    <ForAdmins>
      <PostForm action={`${storyPath(id)}/retry`} formToken={formToken}>
        <button class="button quiet" aria-label={`Retry ${calledOf(item)}`}>
          Retry
        </button>
      </PostForm>
    </ForAdmins>
  );
}

/** The name leads to the story; the arrow, which says so, to HubSpot. */
function Contact({ item, model }: { item: ExecutionItem; model: ContactListModel }) {
  const id = String(item.id);
  const { contactName: name, contactEmail: email, contactId } = item;
  const isErased = contactId === ERASED_CONTACT;
  const isInHubSpot = !isErased && contactId !== UNKNOWN_CONTACT;
  const called = isErased ? "Deleted contact" : `Contact ${contactId}`;
  const label = shorten(name ?? email ?? called, LONGEST_NAME);
  return (
    <>
      <a id={`story-${id}`} href={addressWith(storyPath(item.id), model.given)}>
        {name === null && email !== null ? <Email address={email} /> : <bdi>{label}</bdi>}
      </a>
      {isInHubSpot ? (
        <>
          {" "}
          <a
            id={`contact-${id}`}
            class="outside"
            href={contactUrl(model, contactId)}
            target="_blank"
            rel="noopener noreferrer"
            aria-label={`Open ${label} in HubSpot`}
            title="Open in HubSpot"
          >
            ↗
          </a>
        </>
      ) : null}
      {name === null || email === null ? null : (
        <span class="note second">
          <Email address={email} />
        </span>
      )}
    </>
  );
}

/** Outcomes of an admin's retry show on both rows. */
function Retry({
  item: { id, retry, retryOf, outcome },
  given,
  format,
}: {
  item: ExecutionItem;
  given: ActivityQuery["given"];
  format: Format;
}) {
  if (retryOf !== null) {
    return (
      <span class="note">
        <a id={`tried-${id}`} href={addressWith(storyPath(retryOf), given)}>
          Retry of an earlier attempt
        </a>
      </span>
    );
  }
  if (retry === null) return null;
  return (
    <span class="note">
      <a id={`tried-${id}`} href={addressWith(storyPath(retry.id), given)}>
        Retried
      </a>{" "}
      <Time date={retry.at} format={format} />:{" "}
      {retry.outcome === outcome ? "same result" : OUTCOME_LABELS[retry.outcome].toLowerCase()}
    </span>
  );
}

function Sender({ item: { senderName, senderEmail } }: { item: ExecutionItem }) {
  if (senderEmail === null) return <bdi>{shorten(senderName ?? "–", LONGEST_NAME)}</bdi>;
  if (senderName === null) return <Email address={senderEmail} />;
  return (
    <>
      <bdi class="clamp" title={shorten(senderEmail, LONGEST_ADDRESS)}>
        {shorten(senderName, LONGEST_NAME)}
      </bdi>
    </>
  );
}

const ANSWERS: Readonly<Record<string, string>> = ANSWER_WORDS;

/** In few words, and the whole sentence in one line; the story has room for it. */
function Reason({ item, present }: { item: ExecutionItem; present: Present }) {
  const remark = remarkOn(item, present);
  const words = item.outcome === "failed" || item.outcome === "waiting" ? item.lastProblem : null;
  const answer = ANSWERS[item.answer ?? ""] ?? null;
  if ([item.errorMessage, answer, words].every((text) => text === null) && remark === "")
    return <td class="reason nothing">–</td>;
  const reason = reasonOf(item);
  const code = item.errorCode ?? "";
  const label = Object.hasOwn(CODE_WORDS, code) ? CODE_WORDS[code as ErrorCode] : undefined;
  return (
    <td data-label="Reason" class="reason">
      <div>
        {answer}
        {label === undefined ? null : (
          <span title={reason === null ? code : shorten(reason, LONGEST_REASON)}>{label}</span>
        )}
        {reason === null ? null : (
          <span class={label === undefined ? "" : "note one-line second"}>
            {shorten(reason, LONGEST_REASON)}
          </span>
        )}
        {remark === "" ? null : <span class={answer === null ? "" : "note"}>{remark}</span>}
        {words === null ? null : (
          <span class="note one-line">{lastProblemWords(shorten(words, LONGEST_REASON))}</span>
        )}
      </div>
    </td>
  );
}
