import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export interface MailServerStandIn {
  /** With encryption by a certificate of its own, which a URL with `trusts` accepts. */
  url(options?: { password?: string; trusts?: boolean }): string;
  /** What it took, in order. */
  readonly mails: { to: string; text: string }[];
  /** Answers to RCPT TO by address; "*" for every address. */
  readonly refusals: Map<string, string>;
  /** Sign-ins tried, as "user:password". */
  readonly signIns: string[];
  close(): Promise<void>;
}

/** A mail server on this machine. @param options.hasTls false if it offers no STARTTLS */
export async function startMailServer({ hasTls = true } = {}): Promise<MailServerStandIn> {
  const mails: MailServerStandIn["mails"] = [];
  const refusals: MailServerStandIn["refusals"] = new Map();
  const signIns: string[] = [];
  const server = new SMTPServer({
    disabledCommands: hasTls ? [] : ["STARTTLS"],
    // The certificate that comes with the library is all right here; without a logger it says nothing about it.
    logger: false,
    allowInsecureAuth: true,
    authOptional: true,
    onAuth: ({ username, password }, _session, done) => {
      signIns.push(`${username}:${password}`);
      return password === "right" ? done(null, { user: "operator" }) : done(new Error("no"));
    },
    onRcptTo: ({ address }, _session, done) => {
      const refusal = refusals.get(address) ?? refusals.get("*");
      const [, code, words] = /^(\d{3}) (.*)$/.exec(refusal ?? "") ?? [];
      done(code === undefined ? null : Object.assign(new Error(words), { responseCode: Number(code) }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address).join();
        const text = Buffer.concat(chunks).toString("utf8").replaceAll("=\r\n", "").replaceAll("=3D", "=");
        mails.push({ to, text });
        done();
      });
    },
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: ({ password = "right", trusts = true } = {}) =>
      `smtp://operator:${password}@127.0.0.1:${port}/${trusts ? "?tls.rejectUnauthorized=false" : ""}`,
    mails,
    refusals,
    signIns,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
