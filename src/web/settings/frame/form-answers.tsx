import { sendPage } from "#web/kit/page.js";
import type { Exchange } from "./exchange.js";
import type { SitePath } from "./navigation.js";
import { leaveNotice, pageOf, type NoticeToLeave } from "./notices.js";
import { frameOf, noticeKeeperOf, SitePage } from "./shell.js";

/** Leads from a form to the page of the notice, or to another one, which says once how it went. */
export function finishForm(exchange: Exchange, notice: NoticeToLeave, path: string = pageOf(notice)): void {
  const { response } = exchange;
  leaveNotice(noticeKeeperOf(exchange), response, notice);
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
    <SitePage
      title={`${what.slice(0, 1).toUpperCase()}${what.slice(1)} not found`}
      current={back.href}
      frame={frameOf(exchange)}
    >
      <p>It may have been deleted.</p>
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
