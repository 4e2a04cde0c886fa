import type { Request, Response } from "express";
import { sendPage } from "#web/kit/page.js";
import type { AdminVisit } from "../session/visit.js";
import type { SitePath } from "./navigation.js";
import { frameOf, SitePage } from "./shell.js";
import type { SettingsOptions } from "../session/site-options.js";

/** A request and the answer to it. */
export interface Exchange {
  request: Request;
  response: Response;
}

export type Handler = (options: SettingsOptions, request: Request, response: Response) => Promise<void>;

/** The same for what is not there and for what is another portal's. */
export function sendMissing(
  options: SettingsOptions,
  { visit, exchange }: { visit: AdminVisit; exchange: Exchange },
  { what, back }: { what: string; back: { href: SitePath; label: string } },
): void {
  const frame = frameOf(options, visit, exchange);
  sendPage(
    exchange.response,
    404,
    <SitePage title={`No such ${what}`} current={back.href} frame={frame}>
      <p>{`This account has no ${what} under this address. It may have been deleted.`}</p>
      <p class="actions">
        <a class="button primary" href={back.href}>
          {back.label}
        </a>
      </p>
    </SitePage>,
  );
}

/** Status of a form that is shown again: by what kept it from being saved. */
export function statusOf({ problems, conflict }: { problems: object; conflict: unknown }): number {
  if (conflict !== undefined) return 409;
  return Object.keys(problems).length > 0 ? 422 : 200;
}
