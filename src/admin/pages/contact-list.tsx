import type { ExecutionItem } from "../execution-list.js";
import type { Format } from "../format.js";
import { OUTCOME_LABELS, remarkOn } from "../outcome.js";
import { Time } from "./connection.js";

export interface ContactListModel {
  items: readonly ExecutionItem[];
  portalId: bigint;
  /** Origin of the account's HubSpot UI, for links to contacts. */
  hubspotUrl: string;
  format: Format;
}

/** What happened to each contact; on a narrow screen each row is a block whose cells name themselves. */
export function ContactList(model: ContactListModel) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">
            Time <span class="zone">({model.format.timeZone})</span>
          </th>
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
  const contactUrl = `${model.hubspotUrl}/contacts/${model.portalId}/record/0-1/${encodeURIComponent(item.contactId)}`;
  return (
    <tr>
      <td data-label="Time" class="time">
        <Time date={item.acceptedAt} format={model.format} />
      </td>
      <td data-label="Contact" class="wide">
        <a href={contactUrl} target="_blank" rel="noopener noreferrer">
          {item.contactEmail === null ? `Contact ${item.contactId}` : <Email address={item.contactEmail} />}
        </a>
      </td>
      <td data-label="Sequence">
        <span class="clamp">{item.sequence ?? "–"}</span>
      </td>
      <td data-label="Sender" class="wide">
        <Sender item={item} />
      </td>
      <td data-label="Status">
        <span class={`badge ${item.outcome}`}>{OUTCOME_LABELS[item.outcome]}</span>
      </td>
      <Reason item={item} />
    </tr>
  );
}

function Sender({ item: { senderName, senderEmail } }: { item: ExecutionItem }) {
  if (senderEmail === null) return <>{senderName ?? "–"}</>;
  if (senderName === null) return <Email address={senderEmail} />;
  return (
    <>
      {senderName}
      <span class="note">
        <Email address={senderEmail} />
      </span>
    </>
  );
}

/** Broken before the @ where it has to be broken. */
function Email({ address }: { address: string }) {
  const at = address.lastIndexOf("@");
  if (at < 1) return <>{address}</>;
  return (
    <>
      {address.slice(0, at)}
      <wbr />
      {address.slice(at)}
    </>
  );
}

function Reason({ item }: { item: ExecutionItem }) {
  const remark = remarkOn(item);
  const words = item.outcome === "failed" || item.outcome === "waiting" ? item.lastProblem : null;
  if (item.errorMessage === null && remark === "" && words === null) return <td class="reason nothing">–</td>;
  return (
    <td data-label="Reason" class="reason">
      {item.errorMessage}
      {remark === "" ? null : <span class="note">{remark}</span>}
      {words === null ? null : <span class="note">HubSpot said: {words}</span>}
      {item.errorCode === null ? null : <code class="code">{item.errorCode}</code>}
    </td>
  );
}
