import type { Response } from "express";
import type { ComponentChildren, VNode } from "preact";
import { renderToString } from "preact-render-to-string";

export const STYLESHEET_PATH = "/settings/assets/settings.css";
export const SCRIPT_PATH = "/settings/assets/htmx.js";
export const LIVE_SCRIPT_PATH = "/settings/assets/live.js";
export const LOGO_PATH = "/settings/assets/logo.svg";

/**
 * htmx may neither evaluate text, nor add a style element, nor call other hosts: the content policy forbids all three.
 * It keeps no copy of pages for the Back button either: a signed-out browser must not hold a list of contacts.
 */
const HTMX_CONFIG = JSON.stringify({
  includeIndicatorStyles: false,
  allowEval: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
});

/** The frame of every page. Text given as children is escaped by the renderer. */
export function Page({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <meta name="htmx-config" content={HTMX_CONFIG} />
        <title>{title} · Sequence Enroller</title>
        <link rel="icon" type="image/svg+xml" href={LOGO_PATH} />
        <link rel="stylesheet" href={STYLESHEET_PATH} />
        <script src={SCRIPT_PATH} defer></script>
        <script src={LIVE_SCRIPT_PATH} defer></script>
      </head>
      <body>{children}</body>
    </html>
  );
}

export interface MessagePageModel {
  title: string;
  /** What happened, then what to do: one paragraph each. */
  paragraphs: readonly string[];
  /** Where to go on; the first is the main one. */
  links: readonly { href: string; label: string }[];
  requestId?: string;
}

/** A page that says one thing: what happened, what to do next, and where. */
export function MessagePage({ title, paragraphs, links, requestId }: MessagePageModel) {
  return (
    <Page title={title}>
      <main class="message card">
        <p class="brand">Sequence Enroller</p>
        <h1>{title}</h1>
        {paragraphs.map((text) => (
          <p key={text}>{text}</p>
        ))}
        <p class="actions">
          {links.map(({ href, label }, index) => (
            <a key={href} class={index === 0 ? "button primary" : "button"} href={href}>
              {label}
            </a>
          ))}
        </p>
        {requestId ? (
          <p class="note">
            Reference for support: <code>{requestId}</code>
          </p>
        ) : null}
      </main>
    </Page>
  );
}

/** Sends a page; never cached, since every page is about one account at one time. */
export function sendPage(response: Response, status: number, page: VNode): void {
  sendHtml(response, status, `<!doctype html>${renderToString(page)}`);
}

/** Sends part of a page, for htmx to put in its place. */
export function sendFragment(response: Response, fragment: VNode): void {
  sendHtml(response, 200, renderToString(fragment));
}

function sendHtml(response: Response, status: number, html: string): void {
  response.status(status).set("Cache-Control", "no-store").type("html").send(html);
}
