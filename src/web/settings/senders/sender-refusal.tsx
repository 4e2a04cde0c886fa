import type { SenderItem } from "#domain/policy/sender-list.js";
import type { SenderMarks } from "#domain/policy/sender-store.js";
import { Time } from "../frame/connection.js";
import { PostForm } from "../frame/form.js";
import type { Frame } from "../frame/shell.js";
import { CopyInboxMessage, INBOX_MESSAGE_SUBJECT, inboxMessage, inboxSettingsUrl } from "./inbox-message.js";

interface RefusalModel {
  frame: Frame;
  item: SenderItem;
  /** What HubSpot said of the sender. */
  marks: SenderMarks;
  /** Of the sender's page. */
  path: string;
  /** Origin of the account's HubSpot UI. */
  hubspotUrl: string;
}

/** What HubSpot said, what that means for contacts, and what can be done: here, and by the sender. */
export function RefusalNotice({ frame, item, marks, path, hubspotUrl }: RefusalModel) {
  const { refusedCode, refusedMessage, refusedAt, limitedUntil } = marks;
  const account = `${hubspotUrl}/settings/${frame.portal.portalId}`;
  if (refusedCode === null && limitedUntil === null) return null;
  return (
    <div class="notice wait" id="refusal">
      {refusedCode === null ? null : (
        <>
          <p>
            <strong>
              <Refused code={refusedCode} item={item} />
            </strong>{" "}
            <Remedy code={refusedCode} item={item} account={account} />
          </p>
          {refusedCode === "INBOX_NOT_CONNECTED" ? (
            <CopyInboxMessage name={item.label} account={account} />
          ) : null}
          <p>
            {refusedAt === null ? null : (
              <>
                Last checked <Time date={refusedAt} format={frame.format} />.{" "}
              </>
            )}
            We skip this sender and try again once an hour, or when you save or select Try again now.
          </p>
        </>
      )}
      {refusedMessage === null ? null : <p class="quote">HubSpot's message: {refusedMessage}</p>}
      {limitedUntil === null ? null : (
        <p>
          HubSpot's daily limit reached. Skipped until <Time date={limitedUntil} format={frame.format} />.
        </p>
      )}
      <PostForm action={`${path}/clear`} formToken={frame.formToken}>
        <button class="button">Try again now</button>
      </PostForm>
    </div>
  );
}

function Refused({ code, item }: { code: string; item: SenderItem }) {
  if (code === "INBOX_NOT_CONNECTED") {
    const address = item.sendAsEmail ?? item.email;
    return <>{`No inbox is connected${address === null ? "" : ` under ${address}`}.`}</>;
  }
  if (code === "SENDER_NOT_PERMITTED")
    return <>HubSpot rejected this sender: no Sales or Service seat, or no sequences permission.</>;
  return <>HubSpot rejected this sender.</>;
}

function Remedy({ code, item, account }: { code: string; item: SenderItem; account: string }) {
  const outside = { target: "_blank", rel: "noopener noreferrer" };
  if (code === "INBOX_NOT_CONNECTED")
    return (
      <>
        If {item.label}'s inbox has another address, enter it under <a href="#send_as_email">Inbox address</a>
        . Otherwise {item.email === null ? `ask ${item.label}` : <AskByMail item={item} account={account} />}{" "}
        to{" "}
        <a href={inboxSettingsUrl(account)} {...outside}>
          connect it in HubSpot ↗
        </a>
        .
      </>
    );
  return (
    <>
      Assign the seat and the permission{" "}
      <a href={`${account}/users`} {...outside}>
        in HubSpot ↗
      </a>
      .
    </>
  );
}

/** A message that is ready to be sent by the admin's own mail program. */
function AskByMail({ item, account }: { item: SenderItem; account: string }) {
  const query = `subject=${encodeURIComponent(INBOX_MESSAGE_SUBJECT)}&body=${encodeURIComponent(inboxMessage(item.label, account))}`;
  return <a href={`mailto:${encodeURIComponent(item.email ?? "")}?${query}`}>email {item.label} how</a>;
}
