import type { Response } from "express";
import { MessagePage, sendPage } from "#web/kit/page.js";

/** The answer to a link out of a mail that is not one of ours, or does not hold anymore. */
export function sendUnknownLink(response: Response): void {
  const paragraphs = [
    "This link is incomplete or has expired. Nothing was changed.",
    "Use the link in a newer email, or ask an admin of the account to remove your address or send another email.",
  ];
  sendPage(response, 404, <MessagePage title="Link not found" paragraphs={paragraphs} links={[]} />);
}
