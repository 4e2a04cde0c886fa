import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { ExecutionItem } from "#domain/history/execution-item.js";
import { contactUrl } from "../words/fixes.js";
import { storyPath } from "../words/paths.js";
import { KIND_LABELS, lastProblemWords } from "../words/activity-words.js";
import type { Format } from "../words/format.js";
import { ANSWER_WORDS, OUTCOME_LABELS, remarkOn } from "#domain/history/shown-outcome.js";
import { Time } from "../frame/connection.js";
import { shorten } from "#platform/text/shorten.js";

export interface ContactListModel {
  items: readonly ExecutionItem[];
  portalId: bigint;
  /** Origin of the account's HubSpot UI, for links to contacts. */
  hubspotUrl: string;
  format: Format;
}

/** Whole on the execution's own page. */
const LONGEST_NAME = 120;
const LONGEST_REASON = 400;

/** What happened to each contact; on a narrow screen each row is a block whose cells name themselves. */
export function ContactList(model: ContactListModel) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Contact</th>
          <th scope="col">Sequence</th>
          <th scope="col">Sender</th>
          <th scope="col">Status</th>
          <th scope="col">Reason</th>
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
  const id = String(item.id);
  return (
    <tr>
      <td data-label="Time" class="time">
        <a id={`story-${id}`} href={storyPath(item.id)}>
          <Time date={item.acceptedAt} format={model.format} />
        </a>
      </td>
      <td data-label="Contact" class="wide">
        <a
          id={`contact-${id}`}
          href={contactUrl(model, item.contactId)}
          target="_blank"
          rel="noopener noreferrer"
        >
          {item.contactEmail === null ? `Contact ${item.contactId}` : <Email address={item.contactEmail} />}
        </a>
      </td>
      <td data-label="Sequence">
        <bdi class="clamp">{shorten(item.sequence ?? "–", LONGEST_NAME)}</bdi>
        {item.kind === "ENROLL" ? null : <span class="note">{KIND_LABELS[item.kind]}</span>}
        {item.workflowName === null ? null : (
          <span class="note">
            Workflow <bdi>{shorten(item.workflowName, LONGEST_NAME)}</bdi>
          </span>
        )}
      </td>
      <td data-label="Sender" class="wide">
        <Sender item={item} />
      </td>
      <td data-label="Status">
        <span class={`badge ${item.outcome}`}>{OUTCOME_LABELS[item.outcome]}</span>
        <Retry item={item} />
      </td>
      <Reason item={item} />
    </tr>
  );
}

/** Outcomes of an admin's retry show on both rows. */
function Retry({ item: { id, retry, retryOf } }: { item: ExecutionItem }) {
  if (retryOf !== null) {
    return (
      <span class="note">
        Retry of{" "}
        <a id={`tried-${id}`} href={storyPath(retryOf)}>
          {String(retryOf)}
        </a>
      </span>
    );
  }
  if (retry === null) return null;
  return (
    <span class="note">
      <a id={`tried-${id}`} href={storyPath(retry.id)}>
        Tried again
      </a>
      : {OUTCOME_LABELS[retry.outcome].toLowerCase()}
    </span>
  );
}

function Sender({ item: { senderName, senderEmail } }: { item: ExecutionItem }) {
  if (senderEmail === null) return <bdi>{shorten(senderName ?? "–", LONGEST_NAME)}</bdi>;
  if (senderName === null) return <Email address={senderEmail} />;
  return (
    <>
      <bdi>{shorten(senderName, LONGEST_NAME)}</bdi>
      <span class="note">
        <Email address={senderEmail} />
      </span>
    </>
  );
}

/** Broken before the @ where it has to be broken. */
function Email({ address: whole }: { address: string }) {
  const address = shorten(whole, LONGEST_ADDRESS);
  const at = address.lastIndexOf("@");
  if (at < 1) return <bdi>{address}</bdi>;
  return (
    <bdi>
      {address.slice(0, at)}
      <wbr />
      {address.slice(at)}
    </bdi>
  );
}

const ANSWERS: Readonly<Record<string, string>> = ANSWER_WORDS;

function Reason({ item }: { item: ExecutionItem }) {
  const remark = remarkOn(item);
  const words = item.outcome === "failed" || item.outcome === "waiting" ? item.lastProblem : null;
  const answer = ANSWERS[item.answer ?? ""] ?? null;
  if ([item.errorMessage, answer, words].every((text) => text === null) && remark === "")
    return <td class="reason nothing">–</td>;
  return (
    <td data-label="Reason" class="reason">
      {answer}
      {item.errorMessage === null ? null : shorten(item.errorMessage, LONGEST_REASON)}
      {remark === "" ? null : <span class="note">{remark}</span>}
      {words === null ? null : <span class="note">{lastProblemWords(shorten(words, LONGEST_REASON))}</span>}
      {item.errorCode === null ? null : <code class="code">{item.errorCode}</code>}
    </td>
  );
}
