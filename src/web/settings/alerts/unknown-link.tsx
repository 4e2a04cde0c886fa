import type { Response } from "express";
import { MessagePage, sendPage } from "#web/kit/page.js";

/** The answer to a link out of a mail that is not one of ours, or does not hold any more. */
export function sendUnknownLink(response: Response): void {
  const paragraphs = [
    "This link is not complete, or too old. Nothing was changed.",
    "Use the link of a newer mail, or ask whoever administers the account to take your address out or to send you another mail.",
  ];
  sendPage(response, 404, <MessagePage title="Link not known" paragraphs={paragraphs} links={[]} />);
}
