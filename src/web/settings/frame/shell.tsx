import type { ComponentChildren } from "preact";
import { Page } from "#web/kit/page.js";
import { takeNotice, type Notice, type NoticeKeeper } from "./notices.js";
import { PostForm } from "./form.js";
import { PauseBar } from "./pause-bar.js";
import { createFormat, type Format } from "../words/format.js";
import {
  ACCOUNTS_PATH,
  MENU_GROUPS,
  PAGE_ACCOUNT_HEADER,
  pageAt,
  UNDO_PATH,
  type SitePath,
} from "./navigation.js";
import { PauseMenu } from "./pause-menu.js";
import { isViewOnly, ViewOnly } from "../session/view-only.js";
import type { Pause } from "#domain/accounts/portal-pause.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import type { Session } from "../session/session.js";
import type { Exchange } from "./exchange.js";
import { shorten } from "#platform/text/shorten.js";
import { HELP_PATH } from "../words/paths.js";

/** What every page of the site shows around its own content. */
export interface Frame {
  session: Session;
  portal: PortalOverview;
  /** Times and numbers as the portal writes them. */
  format: Format;
  now: Date;
  /** How the form went that led here; said once. */
  notice: Notice | undefined;
  /** Set while enrollment is paused. */
  pause: Pause | undefined;
  /** True for a viewer: what would change something cannot be used. */
  isViewOnly: boolean;
  formToken: string;
}

/** Names of things an admin made can be of any length. */
const LONGEST_TITLE = 120;

/** Collects the frame of a page; takes the notice out of the browser's cookie. */
export function frameOf(exchange: Exchange): Frame {
  const { options, visit, request, response } = exchange;
  const { session, portal, pause } = visit;
  const notice = takeNotice(noticeKeeperOf(exchange), request, response);
  const now = options.now();
  const format = createFormat(portal.timeZone, now);
  const formToken = options.sessions.formToken(session);
  return { session, portal, format, now, notice, pause, isViewOnly: isViewOnly(visit), formToken };
}

export function noticeKeeperOf({ options, visit }: Pick<Exchange, "options" | "visit">): NoticeKeeper {
  return { cookies: options.cookies, sign: (text) => options.sessions.sign(visit.session, text) };
}

export interface SitePageModel {
  /** Name of the page: its heading and the browser's title. */
  title: string;
  /** Which entry of the menu it belongs to. */
  current: SitePath;
  frame: Frame;
  /** Says what the page is for, in a sentence or two. */
  lead?: string;
  /** True if the content brings its own heading. */
  hasOwnHeading?: boolean;
  /** Where one comes back to, if not to the page of the menu. */
  up?: Crumb;
  children: ComponentChildren;
}

/** The way up from a page that the menu does not have. */
export interface Crumb {
  href: string;
  label: string;
}

/** A page of the settings site: account and sign-out, the menu, a heading, and what the page is about. */
export function SitePage({ title, current, frame, lead, hasOwnHeading, up, children }: SitePageModel) {
  return (
    <Page title={shorten(title, LONGEST_TITLE)}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Top frame={frame} current={current} />
      <div class="site" hx-headers={JSON.stringify({ [PAGE_ACCOUNT_HEADER]: String(frame.portal.portalId) })}>
        <Menu current={current} frame={frame} />
        <main id="main" tabIndex={-1}>
          <Breadcrumb title={title} current={current} up={up} />
          {hasOwnHeading === true ? null : (
            <h1>
              <bdi>{shorten(title, LONGEST_TITLE)}</bdi>
            </h1>
          )}
          <ViewOnly.Provider value={frame.isViewOnly}>
            <PauseBar frame={frame} current={current} />
            <NoticeLine notice={frame.notice} formToken={frame.formToken} current={current} />
            {frame.isViewOnly ? <ViewOnlyLine /> : null}
            {lead === undefined ? null : <p class="lead">{lead}</p>}
            {children}
          </ViewOnly.Provider>
          <p class="note zone-line">Times are in {frame.format.timeZone}</p>
          <p class="note printed">Printed {frame.format.dateTime(frame.now)}</p>
        </main>
      </div>
    </Page>
  );
}

/** On every page but those of the menu itself. */
function Breadcrumb({ title, current, up }: { title: string; current: SitePath; up: Crumb | undefined }) {
  const { path, label } = pageAt(current);
  if (up === undefined && title === label) return null;
  const { href, label: name } = up ?? { href: path, label };
  return (
    <nav class="crumb" aria-label="Breadcrumb">
      <a href={href}>
        <span aria-hidden="true">← </span>
        {name}
      </a>
    </nav>
  );
}

function Top({ frame, current }: { frame: Frame; current: SitePath }) {
  const { formToken, pause } = frame;
  return (
    <header class="top">
      <div class="identity">
        <a class="brand" href="/settings">
          Sequence Enroller
        </a>
        <span class="account">{accountOf(frame)}</span>
      </div>
      <div class="tools">
        {pause === undefined && !frame.isViewOnly ? (
          <PauseMenu formToken={formToken} current={current} />
        ) : null}
        <a href={ACCOUNTS_PATH}>Switch account</a>
        <a href={HELP_PATH}>Help</a>
        <form method="post" action="/settings/sign-out">
          <span class="who">{userOf(frame)}</span>
          <input type="hidden" name="form_token" value={formToken} />
          <button class="button quiet">Sign out</button>
        </form>
      </div>
    </header>
  );
}

function accountOf({ portal }: Frame): string {
  return `${portal.hubDomain === null ? "Account " : `${portal.hubDomain} · `}${portal.portalId}`;
}

function userOf({ session }: Frame): string {
  return session.userEmail ?? `User ${session.userId ?? "unknown"}`;
}

/** Beside the content where there is room, else folded away; two copies, of which one is shown, work without script. */
function Menu({ current, frame }: { current: SitePath; frame: Frame }) {
  return (
    <>
      <details class="menu folded">
        <summary>Menu</summary>
        <p class="note">
          {userOf(frame)} in {accountOf(frame)}
        </p>
        <MenuLinks current={current} />
      </details>
      <div class="menu beside">
        <MenuLinks current={current} />
      </div>
    </>
  );
}

function MenuLinks({ current }: { current: SitePath }) {
  return (
    <nav aria-label="Menu">
      {MENU_GROUPS.map(({ heading, pages }) => (
        <div key={heading}>
          <p class="menu-group">{heading}</p>
          <ul>
            {pages.map(({ path, label }) => (
              <li key={path}>
                <a href={path} aria-current={path === current ? "page" : undefined}>
                  {label}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** Why nothing on the page can be used. */
function ViewOnlyLine() {
  return (
    <p class="notice">
      You have view-only access: you can see everything but change nothing.{" "}
      <a href="/settings/access">Ask an admin</a> if something should change.
    </p>
  );
}

interface NoticeLineModel {
  notice: Notice | undefined;
  formToken: string;
  current: SitePath;
}

function NoticeLine({ notice, formToken, current }: NoticeLineModel) {
  if (notice === undefined) return null;
  const role = notice.tone === "good" ? "status" : "alert";
  if (notice.undoKey === undefined)
    return (
      <p class={`notice ${notice.tone}`} role={role}>
        {notice.text}
      </p>
    );
  return (
    <div class={`notice ${notice.tone} undo`} role={role}>
      <p>{notice.text}</p>
      <PostForm action={UNDO_PATH} formToken={formToken}>
        <input type="hidden" name="key" value={notice.undoKey} />
        <input type="hidden" name="back" value={current} />
        <button class="button">Undo</button>
      </PostForm>
    </div>
  );
}
