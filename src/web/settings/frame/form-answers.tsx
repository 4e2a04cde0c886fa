import { sendPage } from "#web/kit/page.js";
import type { Exchange } from "./exchange.js";
import type { SitePath } from "./navigation.js";
import { leaveNotice, pageOf, type NoticeName } from "./notices.js";
import { frameOf, SitePage } from "./shell.js";

/** Leads from a form to the page of the notice, or to another one, which says once how it went. */
export function finishForm(
  { options, response }: Exchange,
  notice: NoticeName,
  path: string = pageOf(notice),
): void {
  leaveNotice(options.cookies, response, notice);
  response.redirect(303, path);
}

/** The same answer for what is not there and for what is another portal's. */
export function sendMissing(
  exchange: Exchange,
  { what, back }: { what: string; back: { href: SitePath; label: string } },
): void {
  sendPage(
    exchange.response,
    404,
    <SitePage title={`No such ${what}`} current={back.href} frame={frameOf(exchange)}>
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
export function statusOf({ problems, conflict }: { problems: object; conflict?: unknown }): number {
  if (conflict !== undefined) return 409;
  return Object.keys(problems).length > 0 ? 422 : 200;
}
