export const INBOX_MESSAGE_SUBJECT = "Please connect your inbox in HubSpot";

/** Of the user's own page in HubSpot. */
export const inboxSettingsUrl = (account: string): string => `${account}/user-preferences/email`;

/**
 * What a sender without an inbox has to know.
 * @param account address of the account's settings in HubSpot
 */
export function inboxMessage(name: string, account: string): string {
  return [
    `Hi ${name},`,
    "",
    "HubSpot can't send sequence emails for you because your inbox isn't connected. Contacts are waiting for it.",
    `Please connect it here: ${inboxSettingsUrl(account)} (Settings, General, Email).`,
    "",
    "Thank you!",
  ].join("\r\n");
}

/** The message to paste wherever one writes to the sender; without script it is text to be selected. */
export function CopyInboxMessage({ name, account }: { name: string; account: string }) {
  const message = inboxMessage(name, account);
  return (
    <details class="message">
      <summary>Message to {name}</summary>
      <pre class="quote">{message}</pre>
      <button type="button" class="copy" data-copy={message} aria-label={`Copy message to ${name}`} hidden>
        Copy message
      </button>
    </details>
  );
}
