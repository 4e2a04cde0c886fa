import { createTransport } from "nodemailer";

/** Where mail of the app goes out: the operator's own server. */
export interface MailServer {
  /** `smtp://` (STARTTLS where the server has it) or `smtps://`, with user and password where it wants them. */
  readonly smtpUrl: string;
  /** Address in the From line. */
  readonly from: string;
}

/** Sends plain text mail over the operator's SMTP server. */
export interface Mailer {
  /** Resolves once the server has taken the mail. Rejects with the server's or the network's reason. */
  send(mail: { to: string; subject: string; text: string }): Promise<void>;
  close(): void;
}

const TIMEOUT_MS = 10_000;

export function createMailer({ smtpUrl, from }: MailServer): Mailer {
  const transport = createTransport({
    url: smtpUrl,
    pool: false,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ from, to: { name: "", address: to }, subject, text });
    },
    close: () => transport.close(),
  };
}
