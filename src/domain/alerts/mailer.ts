import { createHash } from "node:crypto";
import type { Transporter } from "nodemailer";
import { isLoopbackHost } from "#platform/config/loopback.js";

/** The operator's own mail server, which sends the app's mail. */
export interface MailServer {
  /** `smtp://` (with STARTTLS) or `smtps://`, with user and password if the server wants them. */
  readonly smtpUrl: string;
  /** Address in the From line. */
  readonly from: string;
}

/** One mail to one address: its delivery does not depend on anyone else's. */
export interface Mail {
  /** The same for every try of the same mail, so that mail programs recognize duplicates. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The same for programs that show HTML. */
  readonly html?: string;
  /** A POST to this URL unsubscribes this address. */
  readonly unsubscribeUrl: string;
}

/**
 * The result of a mail: accepted by the server, refused for good (SMTP 5xx for this recipient), postponed (4xx), or the
 * server itself failed (unreachable, sign-in refused), which any other mail would meet too. Reasons are sentences for
 * an admin.
 */
export type MailOutcome =
  | { readonly kind: "taken" }
  | { readonly kind: "refused" | "put-off"; readonly reason: string }
  | { readonly kind: "server-failed"; readonly reason: string };

/** Sends mail over the operator's SMTP server. Never rejects. */
export interface Mailer {
  send(mail: Mail): Promise<MailOutcome>;
  close(): void;
}

const TIMEOUT_MS = 10_000;

/**
 * The URL with encryption required: always, unless the server is on this machine and gets no password. nodemailer
 * prefers a URL's query to its other options, so the setting is in the query.
 */
function withEncryption(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  if (url.password !== "" || !isLoopbackHost(url.hostname)) url.searchParams.set("requireTLS", "true");
  return url.href;
}

async function openTransport(smtpUrl: string): Promise<Transporter<unknown>> {
  const { createTransport } = await import("nodemailer");
  return createTransport({
    url: withEncryption(smtpUrl),
    pool: false,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** The library is loaded with the first mail: most processes never need it. */
export function createMailer({ smtpUrl, from }: MailServer): Mailer {
  const domain = /@([^<>@\s]+)>?$/.exec(from)?.[1] ?? "localhost";
  let opened: ReturnType<typeof openTransport> | undefined;
  return {
    async send({ id, to, subject, text, html, unsubscribeUrl }) {
      const messageId = `<${id}.${createHash("sha256").update(to).digest("hex").slice(0, 16)}@${domain}>`;
      try {
        const transport = await (opened ??= openTransport(smtpUrl));
        const headers = {
          "List-Unsubscribe": `<${unsubscribeUrl}>`,
          "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        };
        await transport.sendMail({
          from,
          to: { name: "", address: to },
          subject,
          text,
          html,
          messageId,
          headers,
        });
        return { kind: "taken" };
      } catch (error) {
        return outcomeOf(error);
      }
    },
    close: () => void opened?.then((transport) => transport.close()),
  };
}

/** What nodemailer reports about a failure: `command` is the last command sent to the server. */
interface MailFault {
  readonly code?: unknown;
  readonly command?: unknown;
  readonly response?: unknown;
  readonly responseCode?: unknown;
}

/** Answers to these commands are about the one recipient of the mail. */
const ABOUT_RECIPIENT: ReadonlySet<unknown> = new Set(["RCPT TO", "DATA"]);

function outcomeOf(fault: unknown): MailOutcome {
  const { command, response, responseCode, ...rest } = toFault(fault);
  const isAnswer = typeof response === "string" && typeof responseCode === "number";
  if (!isAnswer || !ABOUT_RECIPIENT.has(command))
    return { kind: "server-failed", reason: reasonOf({ ...rest, command, response, responseCode }) };
  return { kind: responseCode >= 500 ? "refused" : "put-off", reason: response };
}

function toFault(fault: unknown): MailFault {
  if (typeof fault !== "object" || fault === null) return {};
  const { code, command, response, responseCode } = fault as MailFault;
  return { code, command, response, responseCode };
}

/** A server's refusal is quoted; the operator has to look into anything else. */
function reasonOf({ code, command, response, responseCode }: MailFault): string {
  if (code === "EAUTH") return "The mail server does not accept this service's sign-in.";
  if (command === "STARTTLS" && typeof response === "string")
    return "The mail server offers no encryption (STARTTLS), so nothing was sent to it.";
  if (code === "ETLS") return "No encrypted connection to the mail server could be made.";
  if (typeof responseCode === "number" && typeof response === "string")
    return `The mail server refused it: ${response}`;
  return `The mail server could not be reached${typeof code === "string" ? ` (${code})` : ""}.`;
}
