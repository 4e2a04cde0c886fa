import type { ComponentChildren } from "preact";
import { Page } from "../../http/page.js";
import type { PageFrame } from "../admit-page.js";
import { shorten } from "../format.js";

/** The pages on which policy is set, in the order of the navigation. */
const SECTIONS = [
  { href: "/settings", label: "Overview" },
  { href: "/settings/senders", label: "Senders" },
  { href: "/settings/rotations", label: "Rotations" },
  { href: "/settings/presets", label: "Presets" },
  { href: "/settings/policy", label: "Policy" },
  { href: "/settings/try", label: "Try it" },
  { href: "/settings/audit", label: "Audit" },
] as const;

export interface SectionPageModel {
  frame: PageFrame;
  /** Address of the section the page belongs to. */
  section: (typeof SECTIONS)[number]["href"];
  title: string;
  /** Says what the page is for, in a sentence or two. */
  lead?: string;
  children: ComponentChildren;
}

/** The frame of a page on which policy is set: header, navigation, what the last form led to. */
export function SectionPage({ frame, section, title, lead, children }: SectionPageModel) {
  const { session, formToken, notice } = frame;
  return (
    <Page title={shorten(title, LONGEST_TITLE)}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <span class="brand">Sequence Enroller</span>
        <form method="post" action="/settings/sign-out">
          <span class="who">{session.userEmail ?? `User ${session.userId ?? "unknown"}`}</span>
          <input type="hidden" name="form_token" value={formToken} />
          <button class="button quiet">Sign out</button>
        </form>
      </header>
      <nav class="sections" aria-label="Settings">
        {SECTIONS.map(({ href, label }) => (
          <a key={href} href={href} aria-current={href === section ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <main id="main" class="section">
        <h1>
          <bdi>{shorten(title, LONGEST_TITLE)}</bdi>
        </h1>
        {notice === undefined ? null : (
          <p class={`notice ${notice.tone}`} role={notice.tone === "good" ? "status" : "alert"}>
            {notice.text}
          </p>
        )}
        {lead === undefined ? null : <p class="lead">{lead}</p>}
        {children}
      </main>
    </Page>
  );
}

const LONGEST_TITLE = 120;
