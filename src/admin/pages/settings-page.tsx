import { Page } from "../../http/page.js";
import type { Notice } from "../flash.js";
import type { PortalOverview } from "../portal-overview.js";
import type { Session } from "../session.js";
import { Activity, type ActivityModel } from "./activity.js";
import { AlertsForm, type AlertsFormModel } from "./alerts-form.js";
import { Connection, type AppScopes } from "./connection.js";
import { SenderForm, type SenderFormModel } from "./sender-form.js";
import { Trouble, type TroubleModel } from "./trouble.js";

export interface SettingsPageModel {
  session: Session;
  portal: PortalOverview;
  scopes: AppScopes;
  notice: Notice | undefined;
  sender: SenderFormModel;
  alerts: AlertsFormModel;
  activity: ActivityModel;
  trouble: TroubleModel;
  formToken: string;
}

export function SettingsPage(model: SettingsPageModel) {
  const { portal, scopes, notice, sender, alerts, activity, trouble } = model;
  return (
    <Page title="Settings">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header {...model} />
      <main id="main">
        <h1>Settings</h1>
        {notice === undefined ? null : (
          <p class={`notice ${notice.tone}`} role={notice.tone === "good" ? "status" : "alert"}>
            {notice.text}
          </p>
        )}
        <div class="columns">
          <Connection portal={portal} format={activity.format} scopes={scopes}>
            <Trouble {...trouble} />
          </Connection>
          <SenderForm {...sender} />
          <AlertsForm {...alerts} />
        </div>
        <Activity {...activity} />
      </main>
    </Page>
  );
}

export function Header({ session, formToken }: Pick<SettingsPageModel, "session" | "formToken">) {
  return (
    <header class="top">
      <span class="brand">Sequence Enroller</span>
      <form method="post" action="/settings/sign-out">
        <span class="who">{session.userEmail ?? `User ${session.userId ?? "unknown"}`}</span>
        <input type="hidden" name="form_token" value={formToken} />
        <button class="button quiet">Sign out</button>
      </form>
    </header>
  );
}
