import type { ComponentChildren } from "preact";
import { Page } from "../../http/page.js";
import { Header } from "../pages/settings-page.js";
import type { Session } from "../session.js";

export interface FrameModel {
  readonly session: Session;
  readonly formToken: string;
}

/** What every page of the activity shares. */
export function ActivityFrame({
  title,
  session,
  formToken,
  children,
}: FrameModel & { title: string; children: ComponentChildren }) {
  return (
    <Page title={title}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header session={session} formToken={formToken} />
      <main id="main">{children}</main>
    </Page>
  );
}
