import { Page } from "../../http/page.js";
import type { Notice } from "../flash.js";
import type { PortalOverview } from "../portal-overview.js";
import type { Session } from "../session.js";
import { Activity, type ActivityModel } from "./activity.js";
import { Connection, type AppScopes } from "./connection.js";
import { SenderForm, type SenderFormModel } from "./sender-form.js";

export interface SettingsPageModel {
  session: Session;
  portal: PortalOverview;
  scopes: AppScopes;
  notice: Notice | undefined;
  sender: SenderFormModel;
  activity: ActivityModel;
}

export function SettingsPage({ session, portal, scopes, notice, sender, activity }: SettingsPageModel) {
  return (
    <Page title="Settings">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <span class="brand">Sequence Enroller</span>
        <form method="post" action="/settings/sign-out">
          <span class="who">{session.userEmail ?? `User ${session.userId ?? "unknown"}`}</span>
          <input type="hidden" name="form_token" value={sender.formToken} />
          <button class="button quiet">Sign out</button>
        </form>
      </header>
      <main id="main">
        <h1>Settings</h1>
        {notice === undefined ? null : (
          <p class={`notice ${notice.tone}`} role={notice.tone === "good" ? "status" : "alert"}>
            {notice.text}
          </p>
        )}
        <div class="columns">
          <Connection portal={portal} format={activity.format} scopes={scopes} />
          <SenderForm {...sender} />
        </div>
        <Activity {...activity} />
      </main>
    </Page>
  );
}
