import type { Request, Response } from "express";
import { MessagePage, sendPage } from "../../http/page.js";
import type { SettingsOptions } from "../site-options.js";

/** A request and the answer to it. */
export interface Exchange {
  request: Request;
  response: Response;
}

export type Handler = (options: SettingsOptions, request: Request, response: Response) => Promise<void>;

/** The same for what is not there and for what is another portal's. */
export function sendMissing(
  response: Response,
  { what, back }: { what: string; back: { href: string; label: string } },
): void {
  sendPage(
    response,
    404,
    <MessagePage
      title={`No such ${what}`}
      paragraphs={[`This account has no ${what} under this address. It may have been deleted.`]}
      links={[back]}
    />,
  );
}

/** Status of a form that is shown again: by what kept it from being saved. */
export function statusOf({ problems, conflict }: { problems: object; conflict: unknown }): number {
  if (conflict !== undefined) return 409;
  return Object.keys(problems).length > 0 ? 422 : 200;
}
