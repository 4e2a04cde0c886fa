import type { Transporter } from "nodemailer";

/** Where mail of the app goes out: the operator's own server. */
export interface MailServer {
  /** `smtp://` (STARTTLS where the server has it) or `smtps://`, with user and password where it wants them. */
  readonly smtpUrl: string;
  /** Address in the From line. */
  readonly from: string;
}

/** Sends plain text mail over the operator's SMTP server. */
export interface Mailer {
  /**
   * Resolves once the server has taken the mail, with the recipients for whom it did not. Rejects with the server's or
   * the network's reason where it took it for none.
   */
  send(mail: { to: readonly string[]; subject: string; text: string }): Promise<{ refused: string[] }>;
  close(): void;
}

const TIMEOUT_MS = 10_000;

async function openTransport(smtpUrl: string): Promise<Transporter<{ rejected: unknown[] }>> {
  const { createTransport } = await import("nodemailer");
  return createTransport({
    url: smtpUrl,
    pool: false,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** The library is loaded with the first mail: most starts would wait for nothing. */
export function createMailer({ smtpUrl, from }: MailServer): Mailer {
  let opened: ReturnType<typeof openTransport> | undefined;
  return {
    async send({ to, subject, text }) {
      const recipients = to.map((address) => ({ name: "", address }));
      const transport = await (opened ??= openTransport(smtpUrl));
      const { rejected } = await transport.sendMail({ from, to: recipients, subject, text });
      return { refused: rejected.map(String) };
    },
    close: () => void opened?.then((transport) => transport.close()),
  };
}
