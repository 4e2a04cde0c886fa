import { PostForm } from "../frame/form.js";
import type { Recipient } from "#domain/alerts/confirmations.js";
import type { Format } from "../words/format.js";
import { Time } from "../frame/connection.js";

export const ASK_AGAIN_PATH = "/settings/alerts/ask-again";

/** Which addresses get the mails, and for which of them somebody is still to confirm that. */
export function Recipients({
  recipients,
  formToken,
  format,
}: {
  recipients: readonly Recipient[];
  formToken: string;
  format: Format;
}) {
  if (recipients.every(({ state }) => state === "confirmed")) return null;
  return (
    <>
      <p class="note">
        A new address gets an email with a confirmation link first. We don't send alerts to it until that link
        is used.
      </p>
      <ul class="plain" id="recipients">
        {recipients.map((recipient) => (
          <li key={recipient.address}>
            <bdi>{recipient.address}</bdi>: <Standing recipient={recipient} format={format} />
            {recipient.state === "waiting" ? (
              <PostForm action={ASK_AGAIN_PATH} formToken={formToken}>
                <input type="hidden" name="address" value={recipient.address} />
                <button class="button">Send the link again</button>
              </PostForm>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  );
}

function Standing({ recipient, format }: { recipient: Recipient; format: Format }) {
  const { state, isMailDue, mailedAt, mailProblem } = recipient;
  if (state === "confirmed") return <span class="good">confirmed</span>;
  if (state === "unsubscribed") return <span class="bad">has unsubscribed</span>;
  return (
    <>
      <span class="bad">not confirmed yet</span>.{" "}
      {isMailDue
        ? "The email with the link is being sent."
        : mailedAt !== null && <MailedAt at={mailedAt} format={format} />}{" "}
      {mailProblem}
    </>
  );
}

function MailedAt({ at, format }: { at: Date; format: Format }) {
  return (
    <>
      We emailed the link <Time date={at} format={format} />.
    </>
  );
}
